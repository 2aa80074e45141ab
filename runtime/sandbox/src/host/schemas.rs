//! `tombolo:connect/schemas`: the numbers of one task's schemas.
//!
//! All sandboxes of a task share one table, so that a number means the same in each. Not here: what a schema says of a value.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use tombolo_model::schema::{Field, Schema, SchemaType};

use crate::cbor;
use crate::host::{Host, NoMemory};
use crate::limits::Budget;
use crate::v0::tombolo::connect::{schemas as contract, types};

/// Schemas of a task after which its instances are recycled and a new table starts. A schema per record is legal; Kafka keeps an LRU of 1,000.
pub(crate) const SCHEMAS_MAX: usize = 10_000;

/// Bytes of a task's schemas after which the same is done.
pub(crate) const SCHEMA_BYTES_MAX: usize = 16 << 20;

/// Until that is done, after the batch, this many times as much has room.
const OVER: usize = 2;

/// The table of one task, as one of its components has it.
#[derive(Clone, Default)]
pub(crate) struct SharedSchemas {
    table: Arc<Mutex<Table>>,
    /// The component's number in the table.
    component: usize,
}

#[derive(Default)]
struct Table {
    /// How many numbers were given out by tables before; numbers are never reused.
    before: u32,
    schemas: Vec<Arc<Schema>>,
    numbers: HashMap<Arc<Schema>, u32>,
    bytes: usize,
    /// Bytes of the schemas that each component defined: they count in its memory.
    defined: BTreeMap<usize, u64>,
    components: usize,
}

/// Why a schema has no number.
#[derive(Debug, PartialEq)]
enum Refusal {
    Invalid(String),
    Full,
    /// The component has no memory left for it.
    NoMemory,
}

impl SharedSchemas {
    fn with<T>(&self, work: impl FnOnce(&mut Table) -> T) -> T {
        work(&mut self.table.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The same table for another component of the task.
    pub(crate) fn for_component(&self) -> Self {
        let component = self.with(|table| {
            table.components += 1;
            table.components
        });
        Self { table: Arc::clone(&self.table), component }
    }

    /// Bytes of the schemas that instances of this component defined and that are still kept.
    pub(crate) fn defined_bytes(&self) -> u64 {
        self.with(|table| table.defined.get(&self.component).copied().unwrap_or(0))
    }

    /// Gives a schema a number. What the table keeps for it is charged to the component.
    fn define(&self, schema: Schema, bytes: usize, budget: &mut Budget) -> Result<u32, Refusal> {
        self.with(|table| {
            let before = table.bytes;
            let number = table.define(schema, bytes, |bytes| budget.charge(bytes as u64))?;
            *table.defined.entry(self.component).or_default() += (table.bytes - before) as u64;
            Ok(number)
        })
    }

    /// Whether the task's instances are to be recycled, so that a new table can start.
    pub(crate) fn is_full(&self) -> bool {
        self.with(|table| table.schemas.len() >= SCHEMAS_MAX || table.bytes >= SCHEMA_BYTES_MAX)
    }

    /// Starts a new table, when no instance that knows the old one is left.
    pub(crate) fn start_anew(&self) {
        self.with(|table| {
            let (before, components) = (table.last(), table.components);
            *table = Table { before, components, ..Table::default() };
        });
    }

    /// The first number that no schema has; 0 is known.
    pub(crate) fn unknown_among(&self, numbers: &[u32]) -> Option<u32> {
        let (before, last) = self.with(|table| (table.before, table.last()));
        let known = |number: u32| number == 0 || (number > before && number <= last);
        numbers.iter().copied().find(|&number| !known(number))
    }
}

impl Table {
    fn last(&self) -> u32 {
        self.before.saturating_add(u32::try_from(self.schemas.len()).unwrap_or(u32::MAX))
    }

    fn get(&self, number: u32) -> Option<&Arc<Schema>> {
        let index = number.checked_sub(self.before)?.checked_sub(1)?;
        self.schemas.get(index as usize)
    }

    fn define(
        &mut self,
        schema: Schema,
        bytes: usize,
        charge: impl FnOnce(usize) -> bool,
    ) -> Result<u32, Refusal> {
        if let Some(&number) = self.numbers.get(&schema) {
            return Ok(number);
        }
        self.check(&schema).map_err(Refusal::Invalid)?;
        let full = self.schemas.len() >= SCHEMAS_MAX * OVER
            || self.bytes.saturating_add(bytes) > SCHEMA_BYTES_MAX * OVER;
        if full {
            return Err(Refusal::Full);
        }
        if !charge(bytes) {
            return Err(Refusal::NoMemory);
        }
        let schema = Arc::new(schema);
        self.schemas.push(Arc::clone(&schema));
        self.bytes += bytes;
        let number = self.last();
        self.numbers.insert(schema, number);
        Ok(number)
    }

    /// What is wrong with a definition. It may only name schemas that are there already, so that none is recursive.
    fn check(&self, schema: &Schema) -> Result<(), String> {
        let known = |what: &str, number: Option<u32>| match number {
            Some(number) if self.get(number).is_some() => Ok(()),
            Some(number) => Err(format!("{what}: no schema has the number {number}")),
            None => Err(format!("{what}: missing")),
        };
        let none = |what: &str, there: bool| {
            if there { Err(format!("{what}: not for {:?}", schema.r#type)) } else { Ok(()) }
        };
        match schema.r#type {
            SchemaType::Map => known("key", schema.key)?,
            _ => none("key", schema.key.is_some())?,
        }
        match schema.r#type {
            SchemaType::Array | SchemaType::Map => known("value", schema.value)?,
            _ => none("value", schema.value.is_some())?,
        }
        if schema.r#type != SchemaType::Struct {
            none("fields", !schema.fields.is_empty())?;
        }
        let mut names = std::collections::HashSet::new();
        for field in &schema.fields {
            if field.name.is_empty() || !names.insert(field.name.as_str()) {
                return Err(format!("fields: {:?} is empty or there twice", field.name));
            }
            known(&format!("fields: {:?}", field.name), Some(field.schema))?;
        }
        let mut names = std::collections::HashSet::new();
        if let Some((name, _)) = schema.parameters.iter().find(|(name, _)| !names.insert(name)) {
            return Err(format!("parameters: {name:?} is there twice"));
        }
        match &schema.default {
            Some(default) => {
                cbor::check_item(default).map_err(|wrong| format!("default: it is {wrong}"))
            }
            None => Ok(()),
        }
    }
}

impl contract::Host for Host {
    fn define(
        &mut self,
        schema: types::Schema,
    ) -> wasmtime::Result<Result<u32, contract::Refusal>> {
        self.count_call()?;
        let bytes = size(&schema);
        let schema = from_contract(schema);
        match self.schemas.define(schema, bytes, &mut self.budget) {
            Ok(number) => Ok(Ok(number)),
            Err(Refusal::Invalid(why)) => Ok(Err(contract::Refusal::Invalid(why))),
            Err(Refusal::Full) => Ok(Err(contract::Refusal::Full)),
            Err(Refusal::NoMemory) => Err(wasmtime::Error::new(NoMemory)),
        }
    }

    fn lookup(&mut self, number: u32) -> wasmtime::Result<Option<types::Schema>> {
        self.count_call()?;
        let found = self.schemas.with(|table| table.get(number).map(Arc::clone));
        Ok(found.map(|schema| to_contract(&schema)))
    }
}

/// Bytes that the table keeps for a schema, about: it stands there once, with what it holds.
fn size(schema: &types::Schema) -> usize {
    let text = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    let parameters: usize =
        schema.parameters.iter().map(|(name, value)| 48 + name.len() + value.len()).sum();
    let fields: usize = schema.fields.iter().map(|field| 32 + field.name.len()).sum();
    let default = schema.default.as_ref().map_or(0, Vec::len);
    256 + text(&schema.name) + text(&schema.doc) + parameters + fields + default
}

fn from_contract(schema: types::Schema) -> Schema {
    let fields = schema.fields.into_iter();
    Schema {
        r#type: match schema.type_ {
            types::SchemaType::Int8 => SchemaType::Int8,
            types::SchemaType::Int16 => SchemaType::Int16,
            types::SchemaType::Int32 => SchemaType::Int32,
            types::SchemaType::Int64 => SchemaType::Int64,
            types::SchemaType::Float32 => SchemaType::Float32,
            types::SchemaType::Float64 => SchemaType::Float64,
            types::SchemaType::Boolean => SchemaType::Boolean,
            types::SchemaType::Text => SchemaType::Text,
            types::SchemaType::Bytes => SchemaType::Bytes,
            types::SchemaType::Array => SchemaType::Array,
            types::SchemaType::Map => SchemaType::Map,
            types::SchemaType::Struct => SchemaType::Struct,
        },
        optional: schema.optional,
        name: schema.name,
        version: schema.version,
        doc: schema.doc,
        parameters: schema.parameters,
        default: schema.default,
        fields: fields.map(|field| Field { name: field.name, schema: field.schema }).collect(),
        key: schema.key,
        value: schema.value,
    }
}

fn to_contract(schema: &Schema) -> types::Schema {
    let fields = schema.fields.iter();
    types::Schema {
        type_: match schema.r#type {
            SchemaType::Int8 => types::SchemaType::Int8,
            SchemaType::Int16 => types::SchemaType::Int16,
            SchemaType::Int32 => types::SchemaType::Int32,
            SchemaType::Int64 => types::SchemaType::Int64,
            SchemaType::Float32 => types::SchemaType::Float32,
            SchemaType::Float64 => types::SchemaType::Float64,
            SchemaType::Boolean => types::SchemaType::Boolean,
            SchemaType::Text => types::SchemaType::Text,
            SchemaType::Bytes => types::SchemaType::Bytes,
            SchemaType::Array => types::SchemaType::Array,
            SchemaType::Map => types::SchemaType::Map,
            SchemaType::Struct => types::SchemaType::Struct,
        },
        optional: schema.optional,
        name: schema.name.clone(),
        version: schema.version,
        doc: schema.doc.clone(),
        parameters: schema.parameters.clone(),
        default: schema.default.clone(),
        fields: fields
            .map(|field| types::Field { name: field.name.clone(), schema: field.schema })
            .collect(),
        key: schema.key,
        value: schema.value,
    }
}

#[cfg(test)]
mod tests;
