//! What is kept beside a compiled component, so that a warm start need not ask it: its plugins, its imports, and what its artifact must be.
//!
//! A plain sequence of fields, read back only by the same version of the program: the file's name holds the format's number. Not here: where it
//! is kept, and why it can be believed (`artifact`).

use std::borrow::Cow;

use tombolo_model::config_def::{Check, ConfigKey, Importance, Type, Width};
use tombolo_model::plugin::{Columns, ComponentDigest, PluginInfo, PluginKind};

/// Number of this format.
pub(crate) const FORMAT: u32 = 1;

/// What is kept.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Manifest {
    /// SHA-256 of the artifact.
    pub(crate) artifact: [u8; 32],
    pub(crate) imports: Vec<String>,
    pub(crate) plugins: Vec<PluginInfo>,
}

const TYPES: [Type; 9] = [
    Type::Boolean,
    Type::String,
    Type::Int,
    Type::Short,
    Type::Long,
    Type::Double,
    Type::List,
    Type::Class,
    Type::Password,
];
const IMPORTANCES: [Importance; 3] = [Importance::High, Importance::Medium, Importance::Low];
const WIDTHS: [Width; 4] = [Width::None, Width::Short, Width::Medium, Width::Long];

impl Manifest {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Writer(self.artifact.to_vec());
        out.list(&self.imports, |out, import| out.text(import));
        out.list(&self.plugins, Writer::plugin);
        out.0
    }

    /// None where the bytes are not a manifest.
    pub(crate) fn decode(bytes: &[u8], component: &ComponentDigest) -> Option<Self> {
        let mut input = Reader(bytes);
        let manifest = Self {
            artifact: input.take(32)?.try_into().ok()?,
            imports: input.list(Reader::text)?,
            plugins: input.list(|input| input.plugin(component))?,
        };
        input.0.is_empty().then_some(manifest)
    }
}

struct Writer(Vec<u8>);

impl Writer {
    fn number(&mut self, number: usize) {
        self.0.extend_from_slice(&u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes());
    }

    fn text(&mut self, text: &str) {
        self.number(text.len());
        self.0.extend_from_slice(text.as_bytes());
    }

    fn option(&mut self, text: Option<&str>) {
        self.flag(text.is_some());
        self.text(text.unwrap_or_default());
    }

    fn flag(&mut self, flag: bool) {
        self.0.push(u8::from(flag));
    }

    fn list<T>(&mut self, list: &[T], mut each: impl FnMut(&mut Self, &T)) {
        self.number(list.len());
        list.iter().for_each(|item| each(self, item));
    }

    /// The place of a value among all there are.
    fn one_of<T: PartialEq>(&mut self, all: &[T], value: &T) {
        self.number(all.iter().position(|one| one == value).unwrap_or(usize::MAX));
    }

    fn plugin(&mut self, plugin: &PluginInfo) {
        self.text(&plugin.class);
        self.one_of(&PluginKind::ALL, &plugin.kind);
        self.text(&plugin.version);
        self.text(&plugin.doc);
        self.list(&plugin.settings, Self::setting);
        let Columns { topic, partition, offset, timestamp, key, value, headers } = plugin.reads;
        [topic, partition, offset, timestamp, key, value, headers]
            .into_iter()
            .for_each(|column| self.flag(column));
    }

    fn setting(&mut self, setting: &ConfigKey) {
        self.text(&setting.name);
        self.one_of(&TYPES, &setting.r#type);
        self.option(setting.default.as_deref());
        self.flag(setting.required);
        self.one_of(&IMPORTANCES, &setting.importance);
        self.text(&setting.doc);
        self.option(setting.group.as_deref());
        self.0.extend_from_slice(&setting.order.to_le_bytes());
        self.one_of(&WIDTHS, &setting.width);
        self.text(&setting.display_name);
        self.list(&setting.dependents, |out, text| out.text(text));
        self.list(&setting.recommended, |out, text| out.text(text));
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn number(&mut self) -> Option<usize> {
        Some(u32::from_le_bytes(self.take(4)?.try_into().ok()?) as usize)
    }

    fn text(&mut self) -> Option<String> {
        let length = self.number()?;
        String::from_utf8(self.take(length)?.to_vec()).ok()
    }

    fn owned(&mut self) -> Option<Cow<'static, str>> {
        self.text().map(Cow::Owned)
    }

    fn option(&mut self) -> Option<Option<Cow<'static, str>>> {
        let there = self.flag()?;
        let text = self.owned()?;
        Some(there.then_some(text))
    }

    fn flag(&mut self) -> Option<bool> {
        Some(*self.take(1)?.first()? != 0)
    }

    fn list<T>(&mut self, mut each: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let count = self.number()?;
        (0..count).map(|_| each(self)).collect()
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> Option<T> {
        let place = self.number()?;
        all.get(place).copied()
    }

    fn plugin(&mut self, component: &ComponentDigest) -> Option<PluginInfo> {
        Some(PluginInfo {
            class: self.text()?,
            kind: self.one_of(&PluginKind::ALL)?,
            version: self.text()?,
            doc: self.text()?,
            settings: self.list(Self::setting)?,
            reads: Columns {
                topic: self.flag()?,
                partition: self.flag()?,
                offset: self.flag()?,
                timestamp: self.flag()?,
                key: self.flag()?,
                value: self.flag()?,
                headers: self.flag()?,
            },
            component: component.clone(),
        })
    }

    fn setting(&mut self) -> Option<ConfigKey> {
        Some(ConfigKey {
            name: self.owned()?,
            r#type: self.one_of(&TYPES)?,
            default: self.option()?,
            required: self.flag()?,
            importance: self.one_of(&IMPORTANCES)?,
            doc: self.owned()?,
            group: self.option()?,
            order: i32::from_le_bytes(self.take(4)?.try_into().ok()?),
            width: self.one_of(&WIDTHS)?,
            display_name: self.owned()?,
            dependents: self.list(Self::owned)?,
            recommended: self.list(Self::owned)?,
            check: Check::Any,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tombolo_model::config_def::key;

    fn manifest() -> Manifest {
        let setting = key("topic", Type::String)
            .required()
            .importance(Importance::High)
            .doc("The topic.")
            .shown("Common", 3, Width::Long, "Topic");
        let secret = key("password", Type::Password).default("x");
        Manifest {
            artifact: [7; 32],
            imports: vec!["wasi:io/streams@0.2.3".into()],
            plugins: vec![PluginInfo {
                class: "a.Sink".into(),
                kind: PluginKind::Sink,
                version: "1.0".into(),
                doc: "Ä".into(),
                settings: vec![setting, secret],
                reads: Columns { headers: false, ..Columns::ALL },
                component: ComponentDigest("d".into()),
            }],
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let bytes = manifest().encode();
        let digest = ComponentDigest("d".into());
        assert_eq!(Manifest::decode(&bytes, &digest), Some(manifest()));
        for cut in 0..bytes.len() {
            assert_eq!(Manifest::decode(&bytes[..cut], &digest), None);
        }
    }
}
