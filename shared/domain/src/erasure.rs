//! Erasure: what may be said of why a person was erased.
//!
//! The erasure of a person is the platform's (`leadyard_platform::erasure`); what stays of a lead is
//! [`lead::erase`](crate::lead::erase)'s. A reason is one of these words and never text: the ledger of erasures
//! outlives the person, and must not name them.

words! {
    /// Why a person was erased.
    pub enum ErasureReason as "an erasure's reason" {
        /// They asked for it.
        Requested = "requested",
        /// They withdrew their consent.
        Withdrawn = "withdrawn",
        /// They should never have been here.
        Unlawful = "unlawful",
        /// They have been here for as long as the company keeps anybody.
        Retention = "retention",
    }
}
