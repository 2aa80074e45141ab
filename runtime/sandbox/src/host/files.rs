//! Files as guests see them: WASI's, with the limits of the directories that they lie in.
//!
//! Not here: files themselves, and what lies outside the directories, which is `wasmtime-wasi`'s to keep away; and counting bytes (`quota`),
//! descriptors (`opened`) and streams (`streams`).

use std::collections::HashMap;
use std::fs::File;
use std::sync::Arc;

use tombolo_model::capability::Capability;
use wasmtime::component::{HasData, Linker, Resource};
use wasmtime_wasi::filesystem::WasiFilesystemCtxView;
use wasmtime_wasi::p2::bindings::filesystem::preopens;
use wasmtime_wasi::p2::bindings::filesystem::types::{
    self, Advice, Descriptor, DescriptorFlags, DescriptorStat, DescriptorType, DirectoryEntry,
    DirectoryEntryStream, ErrorCode, Filesize, HostDescriptor, HostDirectoryEntryStream,
    MetadataHashValue, NewTimestamp, OpenFlags, PathFlags,
};
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, FsError, FsResult};

use super::limited::{Limited, growth};
use super::listing::{LISTING_BYTES, Listing};
use super::opened::Opened;
use super::quota::{ENTRY_BYTES, Quota};
use super::{Host, NoMemory};
use crate::limits::Budget;

mod streams;

use streams::Streams;

/// What one store's descriptors lie in.
#[derive(Debug, Default)]
pub(crate) struct Roots {
    /// The limits of the offered directories, in their order.
    quotas: Arc<[Option<Arc<Quota>>]>,
    /// The limits of descriptors that have one.
    of: HashMap<u32, Arc<Quota>>,
    opened: Opened,
    streams: Streams,
}

impl Roots {
    pub(crate) fn new(quotas: Arc<[Option<Arc<Quota>>]>) -> Self {
        Self { quotas, ..Self::default() }
    }

    fn of(&self, descriptor: &Resource<Descriptor>) -> Option<Arc<Quota>> {
        self.of.get(&descriptor.rep()).map(Arc::clone)
    }
}

/// WASI's files of one store, and where they lie.
pub(crate) struct Files<'a> {
    wasi: WasiFilesystemCtxView<'a>,
    roots: &'a mut Roots,
    budget: &'a mut Budget,
}

struct HasFiles;

impl HasData for HasFiles {
    type Data<'a> = Files<'a>;
}

fn files(host: &mut Host) -> Files<'_> {
    let Host { wasi, table, roots, budget, .. } = host;
    Files { wasi: WasiFilesystemCtxView { ctx: wasi.filesystem(), table }, roots, budget }
}

/// The same where files are used; looking which directories there are is no use of them, as every program does.
fn used_files(host: &mut Host) -> Files<'_> {
    host.cpu.meters.capabilities().uses(Capability::Files);
    files(host)
}

/// Puts these files in the place of WASI's.
pub(crate) fn add_to_linker(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    types::add_to_linker::<Host, HasFiles>(linker, used_files)?;
    preopens::add_to_linker::<Host, HasFiles>(linker, files)?;
    linker.allow_shadowing(false);
    Ok(())
}

/// Takes bytes of a limit, if there is one.
async fn take(quota: Option<Arc<Quota>>, bytes: u64) -> FsResult<()> {
    match quota {
        Some(quota) if quota.take(bytes, bytes).await.is_none() => {
            Err(ErrorCode::InsufficientSpace.into())
        }
        _ => Ok(()),
    }
}

impl Files<'_> {
    /// Errors: as many are open as may be.
    fn may_open(&mut self) -> FsResult<()> {
        match self.roots.opened.has_room() {
            true => Ok(()),
            // What WASI has that is nearest to `EMFILE`.
            false => Err(ErrorCode::InsufficientMemory.into()),
        }
    }

    /// Bytes that come from one limited directory into another would be counted in neither.
    fn within_one(&self, a: &Resource<Descriptor>, b: &Resource<Descriptor>) -> FsResult<()> {
        let is_one = match (self.roots.of.get(&a.rep()), self.roots.of.get(&b.rep())) {
            (Some(a), Some(b)) => Arc::ptr_eq(a, b),
            (a, b) => a.is_none() && b.is_none(),
        };
        if is_one { Ok(()) } else { Err(ErrorCode::CrossDevice.into()) }
    }

    /// Counts a stream into a file, and holds it to the limit of its directory, if there is one.
    fn limited(
        &mut self,
        stream: Resource<DynOutputStream>,
        into: Option<(Arc<Quota>, Arc<File>)>,
        position: Option<u64>,
    ) -> FsResult<Resource<DynOutputStream>> {
        let mut inner = self.wasi.table.delete(stream)?;
        if let Some((quota, file)) = into {
            inner = Box::new(Limited { inner, quota, file, position });
        }
        let counted = self.roots.streams.writing(inner, self.budget)?;
        Ok(self.wasi.table.push(counted)?)
    }

    /// A file with the limit of its directory; none where it has none.
    fn limited_file(
        &self,
        file: &Resource<Descriptor>,
    ) -> FsResult<Option<(Arc<Quota>, Arc<File>)>> {
        let Some(quota) = self.roots.of(file) else { return Ok(None) };
        match self.wasi.table.get(file)? {
            Descriptor::File(file) => Ok(Some((quota, Arc::clone(&file.file)))),
            Descriptor::Dir(_) => Err(ErrorCode::IsDirectory.into()),
        }
    }
}

impl preopens::Host for Files<'_> {
    fn get_directories(&mut self) -> wasmtime::Result<Vec<(Resource<Descriptor>, String)>> {
        let directories = preopens::Host::get_directories(&mut self.wasi)?;
        for ((descriptor, _), quota) in directories.iter().zip(self.roots.quotas.iter()) {
            if let Some(quota) = quota {
                self.roots.of.insert(descriptor.rep(), Arc::clone(quota));
            }
        }
        Ok(directories)
    }
}

impl types::Host for Files<'_> {
    fn convert_error_code(&mut self, error: FsError) -> wasmtime::Result<ErrorCode> {
        self.wasi.convert_error_code(error)
    }

    fn filesystem_error_code(
        &mut self,
        error: Resource<wasmtime::Error>,
    ) -> wasmtime::Result<Option<ErrorCode>> {
        self.wasi.filesystem_error_code(error)
    }
}

impl HostDescriptor for Files<'_> {
    async fn advise(
        &mut self,
        file: Resource<Descriptor>,
        offset: Filesize,
        length: Filesize,
        advice: Advice,
    ) -> FsResult<()> {
        self.wasi.advise(file, offset, length, advice).await
    }

    async fn sync_data(&mut self, file: Resource<Descriptor>) -> FsResult<()> {
        self.wasi.sync_data(file).await
    }

    async fn get_flags(&mut self, of: Resource<Descriptor>) -> FsResult<DescriptorFlags> {
        self.wasi.get_flags(of).await
    }

    async fn get_type(&mut self, of: Resource<Descriptor>) -> FsResult<DescriptorType> {
        self.wasi.get_type(of).await
    }

    async fn set_size(&mut self, file: Resource<Descriptor>, size: Filesize) -> FsResult<()> {
        if let Some((quota, file)) = self.limited_file(&file)? {
            take(Some(quota), growth(&file, Some(0), size)).await?;
        }
        self.wasi.set_size(file, size).await
    }

    async fn set_times(
        &mut self,
        of: Resource<Descriptor>,
        access: NewTimestamp,
        modification: NewTimestamp,
    ) -> FsResult<()> {
        self.wasi.set_times(of, access, modification).await
    }

    async fn read(
        &mut self,
        file: Resource<Descriptor>,
        length: Filesize,
        offset: Filesize,
    ) -> FsResult<(Vec<u8>, bool)> {
        self.wasi.read(file, length, offset).await
    }

    async fn write(
        &mut self,
        file: Resource<Descriptor>,
        bytes: Vec<u8>,
        offset: Filesize,
    ) -> FsResult<Filesize> {
        if let Some((quota, file)) = self.limited_file(&file)? {
            take(Some(quota), growth(&file, Some(offset), bytes.len() as u64)).await?;
        }
        self.wasi.write(file, bytes, offset).await
    }

    async fn read_directory(
        &mut self,
        directory: Resource<Descriptor>,
    ) -> FsResult<Resource<DirectoryEntryStream>> {
        let directory = match self.wasi.table.get(&directory)? {
            Descriptor::Dir(directory) => Arc::clone(&directory.dir),
            Descriptor::File(_) => return Err(ErrorCode::NotDirectory.into()),
        };
        self.may_open()?;
        let held = self.budget.hold(LISTING_BYTES).ok_or_else(|| FsError::trap(NoMemory))?;
        let listing = Listing::open(directory, held).await?;
        self.roots.opened.add(listing.directory());
        // The bindings have WASI's own type for it, which cannot be made here; the table knows what it is.
        Ok(Resource::new_own(self.wasi.table.push(listing)?.rep()))
    }

    async fn sync(&mut self, file: Resource<Descriptor>) -> FsResult<()> {
        self.wasi.sync(file).await
    }

    async fn create_directory_at(
        &mut self,
        at: Resource<Descriptor>,
        path: String,
    ) -> FsResult<()> {
        take(self.roots.of(&at), ENTRY_BYTES).await?;
        self.wasi.create_directory_at(at, path).await
    }

    async fn stat(&mut self, of: Resource<Descriptor>) -> FsResult<DescriptorStat> {
        self.wasi.stat(of).await
    }

    async fn stat_at(
        &mut self,
        at: Resource<Descriptor>,
        flags: PathFlags,
        path: String,
    ) -> FsResult<DescriptorStat> {
        self.wasi.stat_at(at, flags, path).await
    }

    async fn set_times_at(
        &mut self,
        at: Resource<Descriptor>,
        flags: PathFlags,
        path: String,
        access: NewTimestamp,
        modification: NewTimestamp,
    ) -> FsResult<()> {
        self.wasi.set_times_at(at, flags, path, access, modification).await
    }

    async fn link_at(
        &mut self,
        at: Resource<Descriptor>,
        flags: PathFlags,
        path: String,
        new_at: Resource<Descriptor>,
        new_path: String,
    ) -> FsResult<()> {
        self.within_one(&at, &new_at)?;
        take(self.roots.of(&new_at), ENTRY_BYTES).await?;
        self.wasi.link_at(at, flags, path, new_at, new_path).await
    }

    async fn open_at(
        &mut self,
        at: Resource<Descriptor>,
        path_flags: PathFlags,
        path: String,
        how: OpenFlags,
        flags: DescriptorFlags,
    ) -> FsResult<Resource<Descriptor>> {
        self.may_open()?;
        let quota = self.roots.of(&at);
        if how.contains(OpenFlags::CREATE) {
            take(quota.clone(), ENTRY_BYTES).await?;
        }
        let opened = self.wasi.open_at(at, path_flags, path, how, flags).await?;
        match self.wasi.table.get(&opened)? {
            Descriptor::File(file) => self.roots.opened.add(&file.file),
            Descriptor::Dir(directory) => self.roots.opened.add(&directory.dir),
        }
        if let Some(quota) = quota {
            self.roots.of.insert(opened.rep(), quota);
        }
        Ok(opened)
    }

    fn drop(&mut self, descriptor: Resource<Descriptor>) -> wasmtime::Result<()> {
        self.roots.of.remove(&descriptor.rep());
        HostDescriptor::drop(&mut self.wasi, descriptor)
    }

    async fn readlink_at(&mut self, at: Resource<Descriptor>, path: String) -> FsResult<String> {
        self.wasi.readlink_at(at, path).await
    }

    async fn remove_directory_at(
        &mut self,
        at: Resource<Descriptor>,
        path: String,
    ) -> FsResult<()> {
        self.wasi.remove_directory_at(at, path).await
    }

    async fn rename_at(
        &mut self,
        at: Resource<Descriptor>,
        path: String,
        new_at: Resource<Descriptor>,
        new_path: String,
    ) -> FsResult<()> {
        self.within_one(&at, &new_at)?;
        self.wasi.rename_at(at, path, new_at, new_path).await
    }

    async fn symlink_at(
        &mut self,
        at: Resource<Descriptor>,
        target: String,
        path: String,
    ) -> FsResult<()> {
        take(self.roots.of(&at), ENTRY_BYTES).await?;
        self.wasi.symlink_at(at, target, path).await
    }

    async fn unlink_file_at(&mut self, at: Resource<Descriptor>, path: String) -> FsResult<()> {
        self.wasi.unlink_file_at(at, path).await
    }

    fn read_via_stream(
        &mut self,
        file: Resource<Descriptor>,
        offset: Filesize,
    ) -> FsResult<Resource<DynInputStream>> {
        let stream = self.wasi.read_via_stream(file, offset)?;
        let inner = self.wasi.table.delete(stream)?;
        let counted = self.roots.streams.reading(inner, self.budget)?;
        Ok(self.wasi.table.push(counted)?)
    }

    fn write_via_stream(
        &mut self,
        file: Resource<Descriptor>,
        offset: Filesize,
    ) -> FsResult<Resource<DynOutputStream>> {
        let into = self.limited_file(&file)?;
        let stream = self.wasi.write_via_stream(file, offset)?;
        self.limited(stream, into, Some(offset))
    }

    fn append_via_stream(
        &mut self,
        file: Resource<Descriptor>,
    ) -> FsResult<Resource<DynOutputStream>> {
        let into = self.limited_file(&file)?;
        let stream = self.wasi.append_via_stream(file)?;
        self.limited(stream, into, None)
    }

    async fn is_same_object(
        &mut self,
        a: Resource<Descriptor>,
        b: Resource<Descriptor>,
    ) -> wasmtime::Result<bool> {
        self.wasi.is_same_object(a, b).await
    }

    async fn metadata_hash(&mut self, of: Resource<Descriptor>) -> FsResult<MetadataHashValue> {
        self.wasi.metadata_hash(of).await
    }

    async fn metadata_hash_at(
        &mut self,
        at: Resource<Descriptor>,
        flags: PathFlags,
        path: String,
    ) -> FsResult<MetadataHashValue> {
        self.wasi.metadata_hash_at(at, flags, path).await
    }
}

impl HostDirectoryEntryStream for Files<'_> {
    async fn read_directory_entry(
        &mut self,
        stream: Resource<DirectoryEntryStream>,
    ) -> FsResult<Option<DirectoryEntry>> {
        let listing: Resource<Listing> = Resource::new_borrow(stream.rep());
        self.wasi.table.get_mut(&listing)?.next().await
    }

    fn drop(&mut self, stream: Resource<DirectoryEntryStream>) -> wasmtime::Result<()> {
        let listing: Resource<Listing> = Resource::new_own(stream.rep());
        self.wasi.table.delete(listing)?;
        Ok(())
    }
}
