//! What can be made: orders, users, clicks. Each record depends on the seed and its number alone. Not here: when (`source`).

use serde::Serialize;
use tombolo_sdk::cbor;
use tombolo_sdk::fault::Result;
use tombolo_sdk::logical::Timestamp;
use tombolo_sdk::schema::{SchemaBuilder, SchemaNumber};
use tombolo_sdk::source_batch::SourceRecord;

use crate::random::Random;

const GIVEN: &[&str] =
    &["Ada", "Alan", "Barbara", "Edsger", "Grace", "Hedy", "Jean", "Katherine", "Ken", "Radia"];
const FAMILY: &[&str] =
    &["Borg", "Clarke", "Dijkstra", "Hopper", "Johnson", "Kay", "Liskov", "Lovelace", "Moore"];
const ITEMS: &[&str] =
    &["kettle", "lamp", "notebook", "bicycle", "teapot", "umbrella", "radio", "chair", "clock"];
const CURRENCIES: &[&str] = &["EUR", "USD", "GBP", "SEK"];
const CITIES: &[(&str, &str)] = &[
    ("Lisbon", "PT"),
    ("Prague", "CZ"),
    ("Berlin", "DE"),
    ("Ghent", "BE"),
    ("Oslo", "NO"),
    ("Turin", "IT"),
];
const PAGES: &[&str] = &["/", "/search", "/item", "/basket", "/checkout", "/help", "/account"];
const AGENTS: &[&str] = &["Firefox", "Safari", "Chrome", "curl"];
/// How many users there are, whom clicks and orders refer to.
const USERS: u64 = 1000;
/// When the first record happened: 1 January 2026, in milliseconds. One happens each second.
const BEGINNING: i64 = 1_767_225_600_000;

/// What to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quickstart {
    Orders,
    Users,
    Clicks,
}

#[derive(Serialize)]
struct Order<'a, At> {
    order_id: i64,
    customer: &'a str,
    email: &'a str,
    card: &'a str,
    item: &'a str,
    quantity: i64,
    price: f64,
    currency: &'a str,
    at: At,
}

#[derive(Serialize)]
struct User<'a, At> {
    user_id: i64,
    name: &'a str,
    email: &'a str,
    city: &'a str,
    country: &'a str,
    registered: At,
}

#[derive(Serialize)]
struct Click<'a, At> {
    click_id: i64,
    user_id: i64,
    page: &'a str,
    ip: &'a str,
    agent: &'a str,
    at: At,
}

/// Schemas of keys and values, 0 where there are none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Schemas {
    key: SchemaNumber,
    value: SchemaNumber,
}

impl Quickstart {
    /// Their names in settings.
    pub(crate) const NAMES: &'static [&'static str] = &["orders", "users", "clicks"];

    /// By name, which is one of [`Quickstart::NAMES`].
    pub(crate) fn of(name: &str) -> Self {
        match name {
            "users" => Self::Users,
            "clicks" => Self::Clicks,
            _ => Self::Orders,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Orders => "orders",
            Self::Users => "users",
            Self::Clicks => "clicks",
        }
    }

    /// Defines the schemas.
    pub(crate) fn define(self) -> Result<Schemas> {
        let (text, number) = (SchemaBuilder::string, SchemaBuilder::int64);
        let value = match self {
            Self::Orders => SchemaBuilder::structure("io.tombolo.datagen.Order")
                .field("order_id", number())
                .field("customer", text())
                .field("email", text())
                .field("card", text())
                .field("item", text())
                .field("quantity", number())
                .field("price", SchemaBuilder::float64())
                .field("currency", text())
                .field("at", SchemaBuilder::timestamp()),
            Self::Users => SchemaBuilder::structure("io.tombolo.datagen.User")
                .field("user_id", number())
                .field("name", text())
                .field("email", text())
                .field("city", text())
                .field("country", text())
                .field("registered", SchemaBuilder::timestamp()),
            Self::Clicks => SchemaBuilder::structure("io.tombolo.datagen.Click")
                .field("click_id", number())
                .field("user_id", number())
                .field("page", text())
                .field("ip", text())
                .field("agent", text())
                .field("at", SchemaBuilder::timestamp()),
        };
        Ok(Schemas { key: number().define()?, value: value.define()? })
    }

    /// Sets key and value of a record: with a schema its moment is a timestamp, without one milliseconds.
    pub(crate) fn write(
        self,
        to: SourceRecord<'_>,
        seed: i64,
        record: u64,
        schemas: Schemas,
    ) -> std::result::Result<(), cbor::Error> {
        let moment = BEGINNING.saturating_add(signed(record).saturating_mul(1000));
        if schemas == Schemas::default() {
            self.write_at(to, seed, record, (schemas, moment))
        } else {
            self.write_at(to, seed, record, (schemas, Timestamp(moment)))
        }
    }

    fn write_at<At: Serialize>(
        self,
        to: SourceRecord<'_>,
        seed: i64,
        record: u64,
        (schemas, at): (Schemas, At),
    ) -> std::result::Result<(), cbor::Error> {
        let mut random = Random::new(seed, record);
        let user = random.below(USERS);
        let id = signed(record) + 1;
        match self {
            Self::Orders => {
                let (name, email) = person(seed, user);
                let card = card(&mut random);
                let order = Order {
                    order_id: id,
                    customer: &name,
                    email: &email,
                    card: &card,
                    item: random.one_of(ITEMS),
                    quantity: signed(random.below(9)) + 1,
                    price: cents(&mut random),
                    currency: random.one_of(CURRENCIES),
                    at,
                };
                to.key_as(&id, schemas.key)?.value_as(&order, schemas.value)?;
            }
            Self::Users => {
                let user_id = signed(record % USERS);
                let (name, email) = person(seed, record % USERS);
                let place = random.below(CITIES.len() as u64) as usize;
                let (city, country) = CITIES.get(place).copied().unwrap_or_default();
                let user =
                    User { user_id, name: &name, email: &email, city, country, registered: at };
                to.key_as(&user_id, schemas.key)?.value_as(&user, schemas.value)?;
            }
            Self::Clicks => {
                let ip =
                    format!("10.{}.{}.{}", random.below(256), random.below(256), random.below(256));
                let (page, agent) = (random.one_of(PAGES), random.one_of(AGENTS));
                let user_id = signed(user);
                let click = Click { click_id: id, user_id, page, ip: &ip, agent, at };
                to.key_as(&user_id, schemas.key)?.value_as(&click, schemas.value)?;
            }
        }
        Ok(())
    }
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Name and address of a user.
fn person(seed: i64, user: u64) -> (String, String) {
    // Apart from the numbers of records, which are counted from 0.
    let mut random = Random::new(!seed, user);
    let (given, family) = (random.one_of(GIVEN), random.one_of(FAMILY));
    let email = format!("{}.{}{user}@example.com", given.to_lowercase(), family.to_lowercase());
    (format!("{given} {family}"), email)
}

/// A card number that no bank gives out.
fn card(random: &mut Random) -> String {
    let mut group = || random.below(10_000);
    format!("0000-{:04}-{:04}-{:04}", group(), group(), group())
}

fn cents(random: &mut Random) -> f64 {
    (random.below(50_000) + 99) as f64 / 100.0
}
