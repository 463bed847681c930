//! A file as an answer, read as fast as it is taken.

use crate::backup::Backups;
use crate::base::fault::Fault;
use crate::http::Body;
use bytes::Bytes;
use futures_util::stream;
use http_body_util::{BodyExt, StreamBody};
use hyper::Response;
use hyper::body::Frame;
use hyper::header::{self, HeaderValue};
use std::convert::Infallible;
use tokio::io::AsyncReadExt;

/// Read at a time, bytes.
const PIECE: usize = 64 << 10;

/// A backup, under its own name.
pub fn backup(backups: &Backups, name: &str) -> Result<Response<Body>, Fault> {
    let file = backups.open(name)?;
    let length = file.metadata().map_err(Fault::bug)?.len();
    let pieces = stream::unfold(tokio::fs::File::from_std(file), |mut file| async move {
        let mut piece = vec![0; PIECE];
        match file.read(&mut piece).await {
            Ok(0) => None,
            Ok(read) => {
                piece.truncate(read);
                Some((Ok::<_, Infallible>(Frame::data(Bytes::from(piece))), file))
            }
            // Short of the length that was promised: whoever reads it knows that it broke off.
            Err(error) => {
                tracing::error!(%error, "a backup could not be read to its end");
                None
            }
        }
    });
    let mut response = Response::new(StreamBody::new(pieces).boxed());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    headers.insert(header::CONTENT_LENGTH, length.into());
    // The name is one that backups here have: letters, digits, dots and dashes.
    let disposition = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")).map_err(Fault::bug)?;
    headers.insert(header::CONTENT_DISPOSITION, disposition);
    Ok(response)
}
