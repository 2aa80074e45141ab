//! Arrays, maps and structs of a payload.
//!
//! Not here: what stands in them (`read`).

use tombolo_sdk::cbor::write;
use tombolo_sdk::columns::Written;
use tombolo_sdk::json::{DEPTH_MAX, Reader, Token};
use tombolo_sdk::schema::SchemaType;

use super::plan::{Field, Parts, Plan};
use super::read::{Node, Pass, Place};
use super::refused::Refused;
use super::repeated::without_repeated;

impl<'a> Pass<'_, 'a> {
    pub(super) fn collection(
        &mut self,
        plan: &Plan,
        node: Node<'a>,
        place: &Place<'_>,
    ) -> Result<Written, Refused> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(Refused::data(format!("JSON nested deeper than {DEPTH_MAX}")));
        }
        match &plan.parts {
            Parts::Array(element) => self.array(element.as_deref(), node, place)?,
            Parts::Map { key, value } => {
                let text_keys = key.as_ref().is_some_and(|key| key.type_ == SchemaType::Text);
                if text_keys {
                    self.object_map(value.as_deref(), node, place)?;
                } else {
                    self.pair_map((key.as_deref(), value.as_deref()), node, place)?;
                }
            }
            Parts::Struct(fields) => self.structure(fields, node)?,
            Parts::None => write::null(self.out),
        }
        self.depth -= 1;
        Ok(Written::Item)
    }

    /// A part of a collection; one without a schema as it comes.
    fn part(&mut self, plan: Option<&Plan>, place: &Place<'_>) -> Result<Written, Refused> {
        match plan {
            Some(plan) => {
                let node = Node::Found(self.reader.token()?);
                self.value(plan, node, place)
            }
            None => {
                self.of.transcoder.transcode_at(self.reader, self.out)?;
                Ok(Written::Item)
            }
        }
    }

    /// Elements of an array, or, as Jackson has it, the members of an object; anything else has none.
    fn array(
        &mut self,
        element: Option<&Plan>,
        node: Node<'_>,
        place: &Place<'_>,
    ) -> Result<(), Refused> {
        let place = Place::Element(place);
        let open = write::begin(self.out);
        let mut items = 0;
        match node {
            Node::Found(Token::Array) => {
                while self.reader.element(items == 0)? {
                    self.part(element, &place)?;
                    items += 1;
                }
            }
            Node::Found(Token::Object) => {
                while self.reader.member(items == 0)?.is_some() {
                    self.part(element, &place)?;
                    items += 1;
                }
            }
            _ => {}
        }
        write::end_array(self.out, open, items);
        Ok(())
    }

    fn object_map(
        &mut self,
        value: Option<&Plan>,
        node: Node<'_>,
        place: &Place<'_>,
    ) -> Result<(), Refused> {
        if !matches!(node, Node::Found(Token::Object)) {
            let found = node.name();
            return Err(Refused::data(format!(
                "Maps with string fields should be encoded as JSON objects, but found {found}"
            )));
        }
        let place = Place::Value(place);
        let start = self.out.len();
        let open = write::begin(self.out);
        let mut pairs = 0;
        while let Some(name) = self.reader.member(pairs == 0)? {
            let decoded = self.decoded(name);
            write::text_head(self.out, decoded.len());
            self.out.extend_from_slice(&decoded);
            self.of.scratch = decoded;
            self.part(value, &place)?;
            pairs += 1;
        }
        write::end_map(self.out, open, pairs);
        Ok(without_repeated(self.out, start)?)
    }

    fn pair_map(
        &mut self,
        (key, value): (Option<&Plan>, Option<&Plan>),
        node: Node<'_>,
        place: &Place<'_>,
    ) -> Result<(), Refused> {
        if !matches!(node, Node::Found(Token::Array)) {
            let found = node.name();
            return Err(Refused::data(format!(
                "Maps with non-string fields should be encoded as JSON array of tuples, but found {found}"
            )));
        }
        let start = self.out.len();
        let open = write::begin(self.out);
        let mut pairs = 0;
        while self.reader.element(pairs == 0)? {
            let entry = Node::Found(self.reader.token()?);
            if !matches!(entry, Node::Found(Token::Array)) {
                return Err(Refused::data(format!(
                    "Found invalid map entry instead of array tuple: {}",
                    entry.name()
                )));
            }
            let mut size = 0;
            while self.reader.element(size == 0)? {
                match size {
                    0 => drop(self.part(key, &Place::Key(place))?),
                    1 => drop(self.part(value, &Place::Value(place))?),
                    _ => drop(self.reader.skip()?),
                }
                size += 1;
            }
            if size != 2 {
                return Err(Refused::data(format!(
                    "Found invalid map entry, expected length 2 but found :{size}"
                )));
            }
            pairs += 1;
        }
        write::end_map(self.out, open, pairs);
        Ok(without_repeated(self.out, start)?)
    }

    fn structure(&mut self, fields: &[Field], node: Node<'_>) -> Result<(), Refused> {
        if !matches!(node, Node::Found(Token::Object)) {
            let found = node.name();
            return Err(Refused::data(format!(
                "Structs should be encoded as JSON objects, but found {found}"
            )));
        }
        write::map(self.out, fields.len());
        let (body, start) = (self.reader.clone(), self.out.len());
        if self.in_order(fields)? {
            return Ok(());
        }
        *self.reader = body;
        self.out.truncate(start);
        self.in_any_order(fields)
    }

    /// Fields whose members come in the schema's order, some of them perhaps missing; false as soon as one does not.
    #[inline]
    fn in_order(&mut self, fields: &[Field]) -> Result<bool, Refused> {
        let mut rest = fields.iter();
        let mut first = true;
        // Members as most writers put them: in order, without blanks or escapes.
        while let Some(field) = rest.as_slice().first() {
            let key = if first { field.json_key.get(1..) } else { Some(field.json_key.as_slice()) };
            if !self.reader.take(key.unwrap_or_default()) {
                break;
            }
            first = false;
            rest.next();
            self.field(field)?;
        }
        while let Some(name) = self.reader.member(std::mem::take(&mut first))? {
            let here = rest.as_slice().iter().position(|field| name.is(&field.name));
            let Some(missing) = here else {
                // A member that the schema does not know, or one that came before already.
                let done = fields.len() - rest.as_slice().len();
                if fields.iter().take(done).any(|field| name.is(&field.name)) {
                    return Ok(false);
                }
                self.reader.skip()?;
                continue;
            };
            for field in rest.by_ref().take(missing) {
                // It may come later: only then, and at the end, is it known to be missing.
                if field.plan.default.is_none() && !field.plan.optional {
                    return Ok(false);
                }
                self.field_absent(field)?;
            }
            let Some(field) = rest.next() else { return Ok(false) };
            self.field(field)?;
        }
        rest.try_for_each(|field| self.field_absent(field))?;
        Ok(true)
    }

    /// A field whose value the reader is at.
    #[inline]
    fn field(&mut self, field: &Field) -> Result<(), Refused> {
        self.out.extend_from_slice(&field.cbor_key);
        if field.plan.type_ == SchemaType::Text && field.plan.logical.is_none() {
            // A string needs no look at its schema: the transcoder copies it as it stands.
            if self.reader.peek() == Some(b'"') {
                return Ok(self.of.transcoder.transcode_at(self.reader, self.out)?);
            }
        }
        let node = Node::Found(self.reader.token()?);
        self.value(&field.plan, node, &Place::Field(&field.name)).map(drop)
    }

    fn field_absent(&mut self, field: &Field) -> Result<(), Refused> {
        self.out.extend_from_slice(&field.cbor_key);
        self.absent(&field.plan).map(drop)
    }

    /// Fields whose members come in any order, the last of each name counting.
    #[cold]
    fn in_any_order(&mut self, fields: &[Field]) -> Result<(), Refused> {
        let mut found: Vec<Option<Reader<'a>>> = vec![None; fields.len()];
        let mut first = true;
        while let Some(name) = self.reader.member(std::mem::take(&mut first))? {
            let place = fields.iter().position(|field| name.is(&field.name));
            if let Some(slot) = place.and_then(|place| found.get_mut(place)) {
                *slot = Some(self.reader.clone());
            }
            self.reader.skip()?;
        }
        let end = self.reader.clone();
        for (field, member) in fields.iter().zip(found) {
            let Some(member) = member else {
                self.field_absent(field)?;
                continue;
            };
            *self.reader = member;
            self.field(field)?;
        }
        *self.reader = end;
        Ok(())
    }
}
