//! Secrets in a topic: what of them can be read there, and by whom they are opened.

use tombolo_model::ConfigProviders;

use super::*;
use crate::memory::MemoryJournals;

const TOPIC: &str = "secrets";

fn keys(digits: &str) -> SecretKeys {
    let lines: Vec<String> = digits.chars().map(|digit| digit.to_string().repeat(64)).collect();
    SecretKeys::parse(&lines.join("\n")).unwrap()
}

async fn open(journals: &MemoryJournals, digits: &str) -> SecretStore {
    SecretStore::open(journals, &InternalTopic::nowhere(TOPIC), keys(digits)).await.unwrap()
}

fn name(name: &str) -> SecretName {
    SecretName::parse(name).unwrap()
}

async fn put(store: &SecretStore, secret: &str, text: &str) -> SecretInfo {
    store.put(&TenantId::default_tenant(), &name(secret), text, 7).await.unwrap()
}

/// What a configuration with this value becomes.
fn resolved(store: &SecretStore, value: &str) -> std::result::Result<String, String> {
    let tenant = TenantId::default_tenant();
    let providers = ConfigProviders::default().or(PROVIDER, store.provider(tenant));
    let settings = [("a", value)].into_iter().collect();
    Ok(providers.resolve(&settings)?.settings.get("a").unwrap().to_owned())
}

#[tokio::test]
async fn a_secret_is_resolved_from_what_was_read_and_stands_nowhere_else() {
    let journals = MemoryJournals::default();
    let store = open(&journals, "a").await;
    assert_eq!(put(&store, "db", "hunter2").await.version, 1);
    let again = put(&store, "db", "hunter3").await;
    assert_eq!(again, SecretInfo { name: name("db"), version: 2, set: 7 });
    let next = open(&journals, "a").await;
    assert_eq!(resolved(&next, "x ${secret:db} y").unwrap(), "x hunter3 y");
    assert_eq!(next.all(&TenantId::default_tenant()), [again]);
    let stored = format!("{:?}", journals.records(TOPIC));
    assert!(stored.contains("secret-default-db") && !stored.contains("hunter"), "{stored}");

    next.delete(&TenantId::default_tenant(), &name("db")).await.unwrap();
    assert_eq!(next.find(&TenantId::default_tenant(), &name("db")), None);
    let gone = resolved(&next, "${secret:db}").unwrap_err();
    assert_eq!(gone, "There is no secret 'db': PUT /secrets/db sets it");
}

#[tokio::test]
async fn a_secret_that_is_a_json_object_has_keys() {
    let store = open(&MemoryJournals::default(), "a").await;
    put(&store, "db", r#"{"user": "me", "port": 5432, "list": []}"#).await;
    put(&store, "plain", "hunter2").await;
    assert_eq!(resolved(&store, "${secret:db:user}:${secret:db:port}").unwrap(), "me:5432");
    for (reference, expected) in [
        ("${secret:db:other}", "The secret 'db' has no key 'other'"),
        ("${secret:db:list}", "The key 'list' of the secret 'db' is no text, number or boolean"),
        ("${secret:plain:a}", "The secret 'plain' has no keys: its value is not a JSON object"),
        ("${secret:none:a}", "There is no secret 'none': PUT /secrets/none sets it"),
    ] {
        assert_eq!(resolved(&store, reference).unwrap_err(), expected);
    }
    assert!(resolved(&store, "${secret:a/b}").unwrap_err().starts_with("Invalid name"));
}

#[tokio::test]
async fn a_record_moved_to_another_name_or_put_back_is_not_opened() {
    let journals = MemoryJournals::default();
    let store = open(&journals, "a").await;
    put(&store, "mine", "hunter2").await;
    put(&store, "theirs", "hunter3").await;
    let (_, record) = journals.records(TOPIC).pop().unwrap();
    journals.write(TOPIC, "secret-default-mine", record.as_deref());
    let error = resolved(&store, "${secret:mine}").unwrap_err();
    let expected = "The secret 'mine' cannot be opened: it was changed, or is another's";
    assert_eq!(error, expected);
    let newer = record.unwrap().replace("\"version\":1", "\"version\":2");
    journals.write(TOPIC, "secret-default-theirs", Some(&newer));
    assert!(resolved(&store, "${secret:theirs}").unwrap_err().contains("it was changed"));
}

#[tokio::test]
async fn a_new_key_in_front_takes_over_and_the_old_one_may_go() {
    let journals = MemoryJournals::default();
    put(&open(&journals, "a").await, "db", "hunter2").await;
    let foreign = open(&journals, "c").await;
    let error = resolved(&foreign, "${secret:db}").unwrap_err();
    assert_eq!(error, "The secret 'db' cannot be opened: its key is not in secrets.key.file");
    assert_eq!(resolved(&open(&journals, "ba").await, "${secret:db}").unwrap(), "hunter2");
    let new = open(&journals, "b").await;
    assert_eq!(resolved(&new, "${secret:db}").unwrap(), "hunter2");
    assert_eq!(journals.records(TOPIC).len(), 2);
}

#[tokio::test]
async fn what_is_no_secret_is_passed_over() {
    let journals = MemoryJournals::default();
    let store = open(&journals, "a").await;
    put(&store, "db", "hunter2").await;
    for (key, value) in [
        ("secret-default-db", "{}"),
        ("secret-default-db", "not JSON"),
        ("secret-default-", "{}"),
        ("secret-acme-db", "{}"),
        ("else", "{}"),
    ] {
        journals.write(TOPIC, key, Some(value));
    }
    journals.write(TOPIC, "else", None);
    assert_eq!(resolved(&store, "${secret:db}").unwrap(), "hunter2");
}

#[test]
fn without_a_key_a_reference_is_refused() {
    let providers = ConfigProviders::default().or(PROVIDER, WithoutKey);
    let settings = [("a", "${secret:db}")].into_iter().collect();
    assert_eq!(providers.resolve(&settings).unwrap_err(), WITHOUT_KEY);
}
