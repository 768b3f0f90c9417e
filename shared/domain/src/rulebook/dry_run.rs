//! What a rulebook's templates make of a lead that nobody is: a look at what dealers would be sent.

use jiff::Timestamp;

use super::{Offer, Rulebook};
use crate::contract::Contract;
use crate::dealer::{Channel, Format};
use crate::delivery::{ExampleOf, Template, TemplateExample};

impl Rulebook {
    /// Every message of every template, as the first dealer that uses it would have it, under that dealer's first
    /// contract. None where there is no contract: nobody could be sent anything.
    pub fn template_examples(&self, at: Timestamp) -> Vec<TemplateExample> {
        self.templates.iter().flat_map(|template| self.examples_of(template, at)).collect()
    }

    fn examples_of(&self, template: &Template, at: Timestamp) -> Vec<TemplateExample> {
        let uses = |channel: &&Channel| channel.format == Format::Template(template.id.clone());
        let channel = self.channels.iter().find(uses);
        let theirs = |contract: &&Contract| channel.is_none_or(|channel| channel.dealer == contract.dealer);
        let Some(contract) = self.contracts.iter().find(theirs).or(self.contracts.first()) else {
            return Vec::new();
        };
        let taken = |offer: &&Offer| contract.offers.takes(&offer.id);
        let offer = self.offers.iter().find(taken).or(self.offers.first());
        let Some((offer, source)) = offer.zip(self.sources.first()) else { return Vec::new() };
        template.examples(&ExampleOf {
            company: &self.company.id,
            dealer: channel.map_or(&contract.dealer, |channel| &channel.dealer),
            vendor_id: channel.map_or("", |channel| channel.vendor_id.as_str()),
            contract: &contract.id,
            category: &offer.category,
            offer: &offer.id,
            source: &source.id,
            price: contract.price,
            band: contract.min_band,
            at,
        })
    }
}
