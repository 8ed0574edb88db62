//! Who a delivery is: its content, its sender, its id.

use std::path::Path;

use huiliu_pipeline::ports::Delivery;
use huiliu_stage::Origin;

use super::spool::Taken;
use crate::sources::folder::place::readable;

/// The id of a delivery: of its pipeline, its sender and its content, so that the same file sent again,
/// under whatever name, is the same delivery.
pub(crate) fn delivery_id(pipeline: &str, sender: &str, content_hash: &str) -> String {
    let mut hasher = blake3::Hasher::new();
    for part in [pipeline, sender, content_hash] {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    hasher.finalize().to_hex().as_str().chars().take(16).collect()
}

/// Identifies a file that was taken.
pub(crate) fn identify(
    pipeline: &str,
    sender: &str,
    path: &Path,
    taken: &Taken,
    received_ms: i64,
) -> Delivery {
    Delivery {
        id: delivery_id(pipeline, sender, &taken.hash),
        pipeline: pipeline.to_owned(),
        sender: sender.to_owned(),
        file: path.file_name().map(readable).unwrap_or_default(),
        origin: path.to_string_lossy().into_owned(),
        content_hash: taken.hash.clone(),
        bytes: taken.stamp.size,
        received_ms,
    }
}

/// The facts of a delivery that ride on its batches.
pub(crate) fn origin_of(delivery: &Delivery) -> Origin {
    Origin {
        delivery: delivery.id.clone(),
        sender: delivery.sender.clone(),
        file: delivery.file.clone(),
        received_ms: delivery.received_ms,
        ..Origin::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_depends_on_pipeline_sender_and_content_and_on_nothing_else() {
        let id = delivery_id("projects", "发改局", "abc");
        assert_eq!(id, delivery_id("projects", "发改局", "abc"));
        assert_eq!(id.len(), 16);
        for other in [("p", "发改局", "abc"), ("projects", "x", "abc"), ("projects", "发改局", "abd")] {
            assert_ne!(id, delivery_id(other.0, other.1, other.2));
        }
        assert_ne!(delivery_id("ab", "c", ""), delivery_id("a", "bc", ""));
    }
}
