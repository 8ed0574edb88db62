//! Who a delivery is: its content, its sender, its id.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use huiliu_pipeline::ports::Delivery;

use crate::sources::folder::ready::Stamp;

/// Reads a file once and gives its BLAKE3 hash in hex.
pub(crate) fn hash_file(path: &Path) -> std::io::Result<String> {
    let mut file = File::open(path)?;
    let mut hasher = blake3::Hasher::new();
    let mut block = vec![0; 1 << 17];
    loop {
        match file.read(&mut block)? {
            0 => return Ok(hasher.finalize().to_hex().to_string()),
            read => {
                hasher.update(block.get(..read).unwrap_or_default());
            }
        }
    }
}

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

/// Identifies a file.
pub(crate) fn identify(
    pipeline: &str,
    sender: &str,
    path: &Path,
    stamp: Stamp,
    received_ms: i64,
) -> std::io::Result<Delivery> {
    let content_hash = hash_file(path)?;
    Ok(Delivery {
        id: delivery_id(pipeline, sender, &content_hash),
        pipeline: pipeline.to_owned(),
        sender: sender.to_owned(),
        file: path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
        origin: path.to_string_lossy().into_owned(),
        content_hash,
        bytes: stamp.size,
        received_ms,
    })
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
