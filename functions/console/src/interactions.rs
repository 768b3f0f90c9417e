//! The desk's word on an interaction: a person's after all, or a machine's.
//!
//! `POST /v1/leads/{id}/interactions/{interaction}/{restore | revoke}`, with the interaction as the lead's story names
//! it. The word is kept with the interaction, the act in the lead's history; distribution scores the lead anew. The
//! later word holds, so that either can be taken back by the other. But that a person wants no more mail after all opts
//! them out for good: what followed of it is not taken back by a word.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use leadyard_domain::delivery::OptedOutOf;
use leadyard_domain::error::Code;
use leadyard_domain::ids::LeadId;
use leadyard_domain::limits;
use leadyard_domain::scoring::{InteractionRef, UNSUBSCRIBE, Word};
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::{Path, Problem, body};
use leadyard_platform::person::Sought;
use leadyard_platform::who::{ACTS, Desk};
use serde_json::{Value, json};

use crate::acts::{asked, missing, note, record};
use crate::inbox::{ROUNDS, crowded};
use crate::privacy::not_found;

/// `POST /v1/leads/{id}/interactions/{interaction}/{word}`.
pub(crate) async fn judge(
    State(cloud): State<Cloud>,
    Desk(desk): Desk<ACTS>,
    Path((lead, interaction, word)): Path<(String, String, String)>,
    request: Body,
) -> Result<Json<Value>, Problem> {
    let (word, act) = match word.as_str() {
        "restore" => (Word::Restored, "restore_interaction"),
        "revoke" => (Word::Revoked, "revoke_interaction"),
        _ => return Err(Problem::new(Code::NotFound, "an interaction is restored or revoked")),
    };
    let reason = note("reason", asked(&body(request, limits::BODY_BYTES).await?)?.reason)?;
    let id: LeadId = lead.parse().map_err(|_| missing())?;
    let unknown = || Problem::new(Code::NotFound, "the lead has no such interaction");
    let interaction: InteractionRef = interaction.parse().map_err(|_| unknown())?;
    for round in 0..ROUNDS {
        if round > 0 {
            tokio::time::sleep(cloud.entropy.between_ms(5, 60)).await;
        }
        let mut lead = cloud.store.lead_get(id).await?.ok_or_else(missing)?;
        desk.allow(&lead.company, missing)?;
        if let Some(into) = lead.merged_into {
            let detail = "the lead was merged into another: act on that one";
            return Err(Problem::new(Code::StateConflict, detail).with("merged_into", json!(into)));
        }
        let activity = cloud.store.activity_of_lead(&lead).await?;
        if !activity.has(interaction) {
            return Err(unknown());
        }
        let before = json!({ "interaction": interaction, "word": activity.word(interaction) });
        let after = json!({ "interaction": interaction, "word": word });
        let act = record(&cloud, &desk, act, reason.clone(), &before, &after);
        // Before the lead is written: whoever scores it afterwards has seen the word.
        cloud.store.activity_word(lead.id, interaction, act.at, word).await?;
        if !lead.stage.closed() {
            lead.due = Some(act.at);
        }
        if cloud.store.lead_act(&lead, &act).await? {
            if !lead.stage.closed() {
                cloud.hand_to_distribution(&lead).await;
            }
            tracing::info!(lead.id = %lead.id, act = act.act, staff = %desk.staff, "the desk judged an interaction");
            if word == Word::Restored && activity.has_kind(interaction, UNSUBSCRIBE) {
                let sought = Sought { leads: [lead.id].into(), ..Sought::default() };
                let done = cloud.opt_out(&lead.company, &sought, OptedOutOf::Mail, &desk.staff);
                Box::pin(done).await.map_err(not_found)?;
            }
            return Ok(Json(json!({ "act": act.act, "before": before, "after": after })));
        }
    }
    Err(crowded())
}
