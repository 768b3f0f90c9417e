//! The rulebook: which version is in force and which were, what each said otherwise than another, a whole one sent and
//! looked at before it is published, an earlier one put in force again; the switches beside it, and who did what.
//!
//! | module | holds |
//! |---|---|
//! | [`versions`] | the list of versions, two compared, the files of one |
//! | [`sent`] | files of a browser: looked at, published; an earlier version again |
//! | [`told`] | differences, warnings and problems as lines of a page |
//! | [`flipped`] | stop and shadow; the log of changes |
//!
//! Determinations. *What is published is what was looked at*: files that were sent are kept for an hour under a name that
//! only the look knows, and nobody chooses them twice. *It is published over the version that it was compared with*: where
//! another is in force since, the look is made again. *Files without `company.toml` are a part*: the rest stays as it is in
//! force when they are published, and not when they were sent; with it they are the whole, and what is not among them is
//! gone. *A second click finds what it asks for in force*, and makes no version of its own. *Who reads sees which versions
//! there are and who did what; what stands in them is a manager's*: where people are reached stands in the files.

mod versions;
mod sent;
mod told;
mod flipped;

pub(super) use flipped::{changes, flip};
pub(super) use sent::{look_back, publish, roll_back, send};
pub(super) use versions::{compared, files_zip, one, page, tables_xlsx};

use leadyard_domain::ids::CompanyId;

use super::address;

const AT: &str = "/console/rulebook";

/// The page of a company, with what was done.
fn back_to(company: &CompanyId, done: &str) -> String {
    address(AT, &[("company", company.as_str()), ("done", done)])
}
