//! A request, as a guest puts it together.
//!
//! What cannot be sent is refused where it is set. Not here: whether it may be sent (`send`).

use std::time::Duration;

use hyper::Method;
use hyper::header::{CONTENT_LENGTH, HeaderMap};
use wasmtime::component::Resource;

use super::fields::Fields;
use super::outgoing::OutgoingBody;
use super::pipe::RequestBody;
use super::types::{self, Scheme};
use crate::host::Host;
use crate::limits::Held;

/// Longest path with its query, in bytes, and longest name of a host with its port.
const TEXT_MAX: usize = 16 << 10;

/// A request that is not sent yet.
pub struct OutgoingRequest {
    pub(super) method: Method,
    pub(super) path: Option<String>,
    pub(super) scheme: Option<Scheme>,
    pub(super) authority: Option<String>,
    pub(super) headers: Fields,
    /// None until the guest asked for it.
    pub(super) body: Option<RequestBody>,
    /// Its method, path and authority.
    _held: Held,
}

/// Times that a guest sets for one request; each is cut to the host's.
#[derive(Clone, Copy, Debug, Default)]
pub struct RequestOptions {
    pub(super) connect: Option<Duration>,
    pub(super) first_byte: Option<Duration>,
    pub(super) between_bytes: Option<Duration>,
}

/// The length that headers promise; an error where they promise several, or none that is one.
pub(super) fn content_length(headers: &HeaderMap) -> Result<Option<u64>, ()> {
    let mut lengths = headers.get_all(CONTENT_LENGTH).iter();
    let (Some(length), None) = (lengths.next(), lengths.next()) else {
        return if headers.contains_key(CONTENT_LENGTH) { Err(()) } else { Ok(None) };
    };
    let text = length.to_str().map_err(drop)?;
    let is_plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_plain { text.parse().map(Some).map_err(drop) } else { Err(()) }
}

/// A path and query as they stand in a request's first line: never an address of another host.
fn is_path(path: &str) -> bool {
    let is_visible = path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#');
    let is_led = path.is_empty() || path.starts_with('/') || path.starts_with('?');
    is_led && is_visible && path.len() <= TEXT_MAX
}

type Answer<T> = wasmtime::Result<Result<T, ()>>;

impl types::HostOutgoingRequest for Host {
    fn new(&mut self, headers: Resource<Fields>) -> wasmtime::Result<Resource<OutgoingRequest>> {
        let headers = self.table.delete(headers)?;
        let held = self.hold(3 * TEXT_MAX as u64)?;
        let request = OutgoingRequest {
            method: Method::GET,
            path: None,
            scheme: None,
            authority: None,
            headers,
            body: None,
            _held: held,
        };
        Ok(self.table.push(request)?)
    }

    fn body(&mut self, request: Resource<OutgoingRequest>) -> Answer<Resource<OutgoingBody>> {
        let found = self.table.get(&request)?;
        let length = content_length(&found.headers.map);
        let (false, Ok(length)) = (found.body.is_some(), length) else { return Ok(Err(())) };
        let (body, reader) = OutgoingBody::new(self, length)?;
        self.table.get_mut(&request)?.body = Some(RequestBody::Written(reader));
        // No child of the request: that is gone once it is sent, and the body is written on.
        Ok(Ok(self.table.push(body)?))
    }

    fn method(&mut self, request: Resource<OutgoingRequest>) -> wasmtime::Result<types::Method> {
        Ok(match self.table.get(&request)?.method.as_str() {
            "GET" => types::Method::Get,
            "HEAD" => types::Method::Head,
            "POST" => types::Method::Post,
            "PUT" => types::Method::Put,
            "DELETE" => types::Method::Delete,
            "OPTIONS" => types::Method::Options,
            "PATCH" => types::Method::Patch,
            other => types::Method::Other(other.to_owned()),
        })
    }

    fn set_method(
        &mut self,
        request: Resource<OutgoingRequest>,
        method: types::Method,
    ) -> Answer<()> {
        let request = self.table.get_mut(&request)?;
        let method = match method {
            types::Method::Get => Method::GET,
            types::Method::Head => Method::HEAD,
            types::Method::Post => Method::POST,
            types::Method::Put => Method::PUT,
            types::Method::Delete => Method::DELETE,
            types::Method::Options => Method::OPTIONS,
            types::Method::Patch => Method::PATCH,
            // One makes a tunnel, the other has a server tell the credentials that the host added.
            types::Method::Connect | types::Method::Trace => return Ok(Err(())),
            types::Method::Other(name) => {
                let is_known = ["connect", "trace"].iter().any(|no| name.eq_ignore_ascii_case(no));
                match Method::from_bytes(name.as_bytes()) {
                    Ok(method) if !is_known && name.len() <= TEXT_MAX => method,
                    _ => return Ok(Err(())),
                }
            }
        };
        request.method = method;
        Ok(Ok(()))
    }

    fn path_with_query(
        &mut self,
        request: Resource<OutgoingRequest>,
    ) -> wasmtime::Result<Option<String>> {
        Ok(self.table.get(&request)?.path.clone())
    }

    fn set_path_with_query(
        &mut self,
        request: Resource<OutgoingRequest>,
        path: Option<String>,
    ) -> Answer<()> {
        let request = self.table.get_mut(&request)?;
        if path.as_deref().is_some_and(|path| !is_path(path)) {
            return Ok(Err(()));
        }
        request.path = path;
        Ok(Ok(()))
    }

    fn scheme(&mut self, request: Resource<OutgoingRequest>) -> wasmtime::Result<Option<Scheme>> {
        Ok(self.table.get(&request)?.scheme.clone())
    }

    fn set_scheme(
        &mut self,
        request: Resource<OutgoingRequest>,
        scheme: Option<Scheme>,
    ) -> Answer<()> {
        let request = self.table.get_mut(&request)?;
        if matches!(scheme, Some(Scheme::Other(_))) {
            return Ok(Err(()));
        }
        request.scheme = scheme;
        Ok(Ok(()))
    }

    fn authority(
        &mut self,
        request: Resource<OutgoingRequest>,
    ) -> wasmtime::Result<Option<String>> {
        Ok(self.table.get(&request)?.authority.clone())
    }

    fn set_authority(
        &mut self,
        request: Resource<OutgoingRequest>,
        authority: Option<String>,
    ) -> Answer<()> {
        let request = self.table.get_mut(&request)?;
        if authority.as_ref().is_some_and(|authority| authority.len() > TEXT_MAX) {
            return Ok(Err(()));
        }
        // What is no host is refused when the request is sent, with its reason.
        request.authority = authority;
        Ok(Ok(()))
    }

    fn headers(
        &mut self,
        request: Resource<OutgoingRequest>,
    ) -> wasmtime::Result<Resource<Fields>> {
        let map = self.table.get(&request)?.headers.map.clone();
        self.push_fields(map, true)
    }

    fn drop(&mut self, request: Resource<OutgoingRequest>) -> wasmtime::Result<()> {
        self.table.delete(request)?;
        Ok(())
    }
}

fn nanos(duration: Option<Duration>) -> Option<u64> {
    duration.map(|duration| u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX))
}

impl types::HostRequestOptions for Host {
    fn new(&mut self) -> wasmtime::Result<Resource<RequestOptions>> {
        Ok(self.table.push(RequestOptions::default())?)
    }

    fn connect_timeout(
        &mut self,
        options: Resource<RequestOptions>,
    ) -> wasmtime::Result<Option<u64>> {
        Ok(nanos(self.table.get(&options)?.connect))
    }

    fn set_connect_timeout(
        &mut self,
        options: Resource<RequestOptions>,
        duration: Option<u64>,
    ) -> Answer<()> {
        self.table.get_mut(&options)?.connect = duration.map(Duration::from_nanos);
        Ok(Ok(()))
    }

    fn first_byte_timeout(
        &mut self,
        options: Resource<RequestOptions>,
    ) -> wasmtime::Result<Option<u64>> {
        Ok(nanos(self.table.get(&options)?.first_byte))
    }

    fn set_first_byte_timeout(
        &mut self,
        options: Resource<RequestOptions>,
        duration: Option<u64>,
    ) -> Answer<()> {
        self.table.get_mut(&options)?.first_byte = duration.map(Duration::from_nanos);
        Ok(Ok(()))
    }

    fn between_bytes_timeout(
        &mut self,
        options: Resource<RequestOptions>,
    ) -> wasmtime::Result<Option<u64>> {
        Ok(nanos(self.table.get(&options)?.between_bytes))
    }

    fn set_between_bytes_timeout(
        &mut self,
        options: Resource<RequestOptions>,
        duration: Option<u64>,
    ) -> Answer<()> {
        self.table.get_mut(&options)?.between_bytes = duration.map(Duration::from_nanos);
        Ok(Ok(()))
    }

    fn drop(&mut self, options: Resource<RequestOptions>) -> wasmtime::Result<()> {
        self.table.delete(options)?;
        Ok(())
    }
}
