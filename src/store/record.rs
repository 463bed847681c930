//! Records: a version byte, a postcard body, and a CRC-32C over both.
//!
//! postcard does not describe itself: a body read as the wrong shape may even succeed. So the version decides alone
//! which shape is read, the checksum catches a flipped bit in either, and no bytes may be left over.

use crate::store::error::StoreError;
use serde::{Serialize, de::DeserializeOwned};

/// A type kept in a table.
pub trait Record: Serialize + DeserializeOwned {
    /// The table it stands in.
    const TABLE: &'static str;
    /// The version of the shape written today. Starts at 1.
    const VERSION: u8;

    /// Reads an older shape (`version < VERSION`) into today's. Never edit a shape that has shipped.
    fn upgrade(version: u8, body: &[u8]) -> Result<Self, StoreError> {
        let _ = body;
        Err(StoreError::damaged(format!("table {}: no shape has version {version}", Self::TABLE)))
    }
}

/// Bytes of the checksum at the end.
const CHECK: usize = 4;

/// The stored form of a record.
pub fn encode<R: Record>(record: &R) -> Vec<u8> {
    let bytes = postcard::to_extend(record, vec![R::VERSION]);
    let mut bytes = bytes.expect("records are plain data; postcard refuses only sequences of unknown length");
    bytes.extend(crc32c::crc32c(&bytes).to_le_bytes());
    bytes
}

/// Reads a stored record. Errs with `NewerRecord` or `Damaged`.
pub fn decode<R: Record>(bytes: &[u8]) -> Result<R, StoreError> {
    let damaged = |what: &str| StoreError::damaged(format!("table {}: a record {what}", R::TABLE));
    let (content, check) = bytes.split_last_chunk::<CHECK>().ok_or_else(|| damaged("is too short"))?;
    let (version, body) = content.split_first().ok_or_else(|| damaged("is too short"))?;
    if crc32c::crc32c(content) != u32::from_le_bytes(*check) {
        return Err(damaged("does not match its checksum"));
    }
    match *version {
        version if version > R::VERSION => Err(StoreError::NewerRecord { table: R::TABLE, found: version, known: R::VERSION }),
        version if version == R::VERSION => body_as(R::TABLE, version, body),
        version => R::upgrade(version, body),
    }
}

/// Whether bytes are a record, whatever its shape.
pub(super) fn is_whole(bytes: &[u8]) -> bool {
    bytes.split_last_chunk::<CHECK>().is_some_and(|(content, check)| crc32c::crc32c(content) == u32::from_le_bytes(*check))
}

/// Makes a record whole again whose body was changed in place.
pub(super) fn stamp(bytes: &mut [u8]) {
    if let Some((content, check)) = bytes.split_last_chunk_mut::<CHECK>() {
        *check = crc32c::crc32c(content).to_le_bytes();
    }
}

/// Reads a body as one shape, all of it. For [`Record::upgrade`].
pub fn body_as<T: DeserializeOwned>(table: &'static str, version: u8, body: &[u8]) -> Result<T, StoreError> {
    match postcard::take_from_bytes(body) {
        Ok((value, [])) => Ok(value),
        Ok(_) => Err(StoreError::damaged(format!("table {table}: a record of version {version} is too long"))),
        Err(error) => Err(StoreError::damaged(format!("table {table}: a record of version {version}: {error}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    mod v1 {
        #[derive(serde::Serialize, serde::Deserialize)]
        pub struct Sample {
            pub name: String,
        }
        impl super::Record for Sample {
            const TABLE: &'static str = "sample";
            const VERSION: u8 = 1;
        }
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Sample {
        name: String,
        port: u16,
    }

    impl Record for Sample {
        const TABLE: &'static str = "sample";
        const VERSION: u8 = 2;

        fn upgrade(version: u8, body: &[u8]) -> Result<Self, StoreError> {
            let v1::Sample { name } = body_as(Self::TABLE, version, body)?;
            Ok(Sample { name, port: 443 })
        }
    }

    #[test]
    fn older_shapes_are_read_and_newer_ones_refused() {
        let old = encode(&v1::Sample { name: "edge".into() });
        assert_eq!(decode::<Sample>(&old).unwrap(), Sample { name: "edge".into(), port: 443 });
        let new = encode(&Sample { name: "edge".into(), port: 8443 });
        assert!(matches!(decode::<v1::Sample>(&new), Err(StoreError::NewerRecord { found: 2, known: 1, .. })));
    }

    #[test]
    fn any_flipped_bit_or_missing_byte_is_an_error_and_never_an_older_shape() {
        let good = encode(&Sample { name: "edge-7".into(), port: 8443 });
        for at in 0..good.len() {
            for bit in 0..8 {
                let mut bad = good.clone();
                bad[at] ^= 1 << bit;
                assert!(matches!(decode::<Sample>(&bad), Err(StoreError::Damaged { .. })), "byte {at} bit {bit}");
            }
            assert!(decode::<Sample>(&good[..at]).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn left_over_bytes_are_damage() {
        assert!(body_as::<u8>("t", 1, &[1, 2]).is_err());
    }
}
