//! References in settings to values that are kept elsewhere: `${provider:path:key}`, or without a path `${provider:key}`.
//!
//! Settings are stored, shown and compared with their references; they are resolved for plugins and Kafka clients alone.
//! Not here: where the values are kept. Follows `ConfigTransformer` and `ConfigProvider` of Kafka.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::secrets::{SECRET_BYTES_MIN, Secrets, replace};
use crate::settings::Settings;

/// Where values are kept that settings refer to.
pub trait ConfigProvider: Send + Sync + 'static {
    /// The values of these keys at a path, which is empty where a reference has none; keys without a value are left out.
    ///
    /// Errors: what is wrong, in Kafka's words, and no value. Blocks: it may read files.
    fn get(&self, path: &str, keys: &BTreeSet<&str>) -> Result<BTreeMap<String, String>, String>;
}

/// A worker's config providers. Cheap to clone.
#[derive(Clone, Default)]
pub struct ConfigProviders {
    by_name: BTreeMap<String, Arc<dyn ConfigProvider>>,
    /// What else must not be seen: the worker's own values.
    known: Secrets,
}

/// Settings with the values that they refer to.
#[derive(Clone, Debug, Default)]
pub struct Resolved {
    /// The settings, for plugins and Kafka clients alone. They know which of their values must not be seen.
    pub settings: Settings,
    /// What was resolved in them.
    pub references: References,
}

/// What was resolved in settings.
#[derive(Clone, Default)]
pub struct References {
    /// The settings in which something was resolved, as they were before.
    unresolved: Settings,
    /// Values and the references that stand for them, the longest value first.
    values: Vec<(Zeroizing<String>, String)>,
    /// The values.
    secrets: Secrets,
}

/// Values by provider and path, then by key.
type Values<'a> = BTreeMap<(&'a str, &'a str), BTreeMap<String, Zeroizing<String>>>;

impl ConfigProviders {
    /// Providers by the names that references have for them.
    pub fn new(by_name: BTreeMap<String, Box<dyn ConfigProvider>>) -> Self {
        let by_name = by_name.into_iter().map(|(name, provider)| (name, provider.into()));
        Self { by_name: by_name.collect(), known: Secrets::default() }
    }

    /// The same with one more, unless there is one of its name.
    #[must_use]
    pub fn or(mut self, name: &str, provider: impl ConfigProvider) -> Self {
        self.by_name.entry(name.to_owned()).or_insert_with(|| Arc::new(provider));
        self
    }

    /// Whether there is one of this name.
    pub fn has(&self, name: &str) -> bool {
        self.by_name.contains_key(name)
    }

    /// The same, which hide these values too wherever they hide those that they resolve.
    #[must_use]
    pub fn hiding(self, known: &Secrets) -> Self {
        Self { known: self.known.and(known), ..self }
    }

    /// Puts values in place of references. What a provider does not know, and what names no provider, stays as it is; values are not looked at
    /// for references.
    ///
    /// Errors: those of the providers.
    ///
    /// Cost: asks each provider once for each path. Blocks.
    pub fn resolve(&self, settings: &Settings) -> Result<Resolved, String> {
        let found = self.look_up(settings)?;
        let mut resolved = settings.clone();
        let mut references = References::default();
        for (name, text) in settings.iter() {
            let mut put_in = String::new();
            let mut done = 0;
            for Reference { at, provider, path, key } in in_text(text) {
                let values = found.get(&(provider, path));
                let Some(value) = values.and_then(|values| values.get(key)) else { continue };
                put_in.push_str(text.get(done..at.start).unwrap_or_default());
                put_in.push_str(value);
                done = at.end;
                let reference = text.get(at).unwrap_or_default();
                references.values.push((value.clone(), reference.to_owned()));
            }
            if done > 0 {
                put_in.push_str(text.get(done..).unwrap_or_default());
                resolved.insert(name, put_in);
                references.unresolved.insert(name, text);
            }
        }
        references.complete();
        let settings = resolved.hiding(&self.known).hiding(&references.secrets);
        Ok(Resolved { settings, references })
    }

    /// The values that settings refer to, by provider and path.
    fn look_up<'a>(&self, settings: &'a Settings) -> Result<Values<'a>, String> {
        let mut wanted: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
        if self.by_name.is_empty() {
            return Ok(BTreeMap::new());
        }
        for Reference { provider, path, key, .. } in
            settings.iter().flat_map(|(_, text)| in_text(text))
        {
            wanted.entry((provider, path)).or_default().insert(key);
        }
        let mut found = BTreeMap::new();
        for ((name, path), keys) in wanted {
            if let Some(provider) = self.by_name.get(name) {
                let values = provider.get(path, &keys)?.into_iter();
                let values = values.map(|(key, value)| (key, Zeroizing::new(value)));
                found.insert((name, path), values.collect());
            }
        }
        Ok(found)
    }
}

impl fmt::Debug for ConfigProviders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.by_name.keys()).finish()
    }
}

impl References {
    /// A setting as it was before something was resolved in it; none where nothing was.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.unresolved.get(name)
    }

    /// The values that were resolved.
    pub fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    /// Makes settings that a connector derived from resolved ones fit to be stored: a setting of the same name is as it was before, and
    /// elsewhere a value of some length becomes its reference again.
    ///
    /// Follows `AbstractHerder.reverseTransform` of Kafka Connect, which knows names alone.
    pub fn put_back(&self, settings: &mut Settings) {
        if self.values.is_empty() {
            return;
        }
        let patterns = self.values.iter().map(|(value, by)| (value.as_str(), by.as_str()));
        let texts = settings.iter().map(|(name, text)| {
            let unresolved = self.get(name).map(str::to_owned);
            (name.to_owned(), unresolved.unwrap_or_else(|| replace(text, patterns.clone()).into()))
        });
        *settings = texts.collect();
    }

    /// Orders what was gathered. A value is known without the space around it too, as its users take it.
    fn complete(&mut self) {
        self.secrets = Secrets::new(self.values.iter().map(|(value, _)| value.as_str()));
        let trimmed = |(value, by): &(Zeroizing<String>, String)| {
            (Zeroizing::new(value.trim().to_owned()), by.clone())
        };
        let trimmed: Vec<_> = self.values.iter().map(trimmed).collect();
        self.values.extend(trimmed);
        self.values
            .retain(|(value, _)| value.len() >= SECRET_BYTES_MIN && !value.trim().is_empty());
        self.values.sort_by(|(a, _), (b, _)| b.len().cmp(&a.len()).then_with(|| a.as_str().cmp(b)));
        self.values.dedup_by(|(a, _), (b, _)| a == b);
    }
}

impl fmt::Debug for References {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.unresolved, f)
    }
}

/// Whether settings refer to something of this provider: to its path, or where the reference has none to its key.
pub fn refer_to(settings: &Settings, provider: &str, named: &str) -> bool {
    settings.iter().flat_map(|(_, text)| in_text(text)).any(|reference| {
        let name = if reference.path.is_empty() { reference.key } else { reference.path };
        reference.provider == provider && name == named
    })
}

/// A reference in a text.
#[derive(Debug, PartialEq, Eq)]
struct Reference<'a> {
    at: Range<usize>,
    provider: &'a str,
    path: &'a str,
    key: &'a str,
}

/// The references in a text, from left to right: from `${` to the next `}`, with a colon between. The second colon ends the path.
///
/// Follows the pattern `\$\{([^}]*?):(([^}]*?):)?([^}]*?)\}` of Kafka.
fn in_text(text: &str) -> impl Iterator<Item = Reference<'_>> {
    let mut from = 0;
    std::iter::from_fn(move || {
        loop {
            let start = from + text.get(from..)?.find("${")?;
            let inner = text.get(start + 2..)?;
            let length = inner.find('}')?;
            from = start + 2 + length + 1;
            let Some((provider, rest)) = inner.get(..length)?.split_once(':') else { continue };
            let (path, key) = rest.split_once(':').unwrap_or(("", rest));
            return Some(Reference { at: start..from, provider, path, key });
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Knows `key` at every path, as the path and itself.
    struct Known;

    impl ConfigProvider for Known {
        fn get(
            &self,
            path: &str,
            keys: &BTreeSet<&str>,
        ) -> Result<BTreeMap<String, String>, String> {
            if path == "broken" {
                return Err("Could not read".to_owned());
            }
            let known = keys.iter().filter(|key| key.starts_with("key"));
            Ok(known.map(|key| ((*key).to_owned(), format!("<{path}|{key}>"))).collect())
        }
    }

    fn providers() -> ConfigProviders {
        let known: Box<dyn ConfigProvider> = Box::new(Known);
        ConfigProviders::new([("known".to_owned(), known)].into())
    }

    #[test]
    fn references_are_found_as_kafka_finds_them() {
        let check = |text: &str, expected: &[(&str, &str, &str)]| {
            let found: Vec<_> =
                in_text(text).map(|found| (found.provider, found.path, found.key)).collect();
            assert_eq!(found, expected, "{text}");
        };
        check("${a:b}", &[("a", "", "b")]);
        check("x ${a:/p:b} ${c:d}", &[("a", "/p", "b"), ("c", "", "d")]);
        check("${a:p:b:c}", &[("a", "p", "b:c")]);
        check("${a::b}", &[("a", "", "b")]);
        check("${none} ${a:b}", &[("a", "", "b")]);
        check("${a${b:c}", &[("a${b", "", "c")]);
        check("${a:b", &[]);
        check("$a {b:c}", &[]);
        check("${:}", &[("", "", "")]);
    }

    #[test]
    fn values_take_the_place_of_references_and_may_be_put_back() {
        let settings: Settings = [
            ("whole", "${known:p:key}"),
            ("part", "a ${known:key1} b ${known:other} ${else:key}"),
            ("plain", "x"),
            ("unknown", "${known:other}"),
        ]
        .into_iter()
        .collect();
        let Resolved { settings: resolved, references } = providers().resolve(&settings).unwrap();
        assert_eq!(resolved.get("whole"), Some("<p|key>"));
        assert_eq!(resolved.get("part"), Some("a <|key1> b ${known:other} ${else:key}"));
        assert_eq!(resolved.get("unknown"), Some("${known:other}"));
        assert_eq!(references.get("whole"), Some("${known:p:key}"));
        assert_eq!((references.get("plain"), references.get("unknown")), (None, None));

        let mut back: Settings =
            [("whole", "changed"), ("url", "x?p=<p|key>&q=<|key1>"), ("plain", "x")]
                .into_iter()
                .collect();
        references.put_back(&mut back);
        assert_eq!(back.get("whole"), Some("${known:p:key}"));
        assert_eq!(back.get("url"), Some("x?p=${known:p:key}&q=${known:key1}"));
        assert_eq!(back.get("plain"), Some("x"));
        assert_eq!(resolved.secrets().hide("x<p|key>x"), "x[hidden]x");
    }

    #[test]
    fn who_refers_to_what_is_known() {
        let settings: Settings =
            [("a", "x ${secret:db} y"), ("b", "${secret:api:token}${else:other}")]
                .into_iter()
                .collect();
        for (named, expected) in [("db", true), ("api", true), ("token", false), ("other", false)] {
            assert_eq!(refer_to(&settings, "secret", named), expected, "{named}");
        }
    }

    #[test]
    fn a_provider_is_not_put_in_the_place_of_another() {
        let (has, has_not) = (providers().has("known"), providers().has("secret"));
        assert!(has && !has_not);
        struct Other;
        impl ConfigProvider for Other {
            fn get(
                &self,
                _: &str,
                keys: &BTreeSet<&str>,
            ) -> Result<BTreeMap<String, String>, String> {
                Ok(keys.iter().map(|key| ((*key).to_owned(), "other".to_owned())).collect())
            }
        }
        let all = providers().or("known", Other).or("secret", Other);
        let settings: Settings = [("a", "${known:key} ${secret:x}")].into_iter().collect();
        assert_eq!(all.resolve(&settings).unwrap().settings.get("a"), Some("<|key> other"));
    }

    #[test]
    fn a_provider_that_fails_fails_the_settings() {
        let settings: Settings = [("a", "${known:broken:key}")].into_iter().collect();
        assert_eq!(providers().resolve(&settings).unwrap_err(), "Could not read");
    }

    #[test]
    fn without_providers_everything_stays_as_it_is() {
        let settings: Settings = [("a", "${known:key}")].into_iter().collect();
        let resolved = ConfigProviders::default().resolve(&settings).unwrap();
        assert_eq!(resolved.settings, settings);
        assert_eq!(resolved.references.get("a"), None);
    }
}
