//! `infra/aws/template.yaml` as a test reads it: resources by name, and every intrinsic function as the words it stands
//! for (`!GetAtt Table.Arn` is `Table.Arn`, `!Sub "leadyard-${Stage}"` is `leadyard-${Stage}`).

use std::path::Path;
use std::sync::LazyLock;

use serde_yaml_ng::Value;

/// The template.
pub struct Template(Value);

static TEMPLATE: LazyLock<Template> = LazyLock::new(|| {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = tests.parent().expect("tests stand in the workspace").join("infra/aws/template.yaml");
    let text = std::fs::read_to_string(path).expect("the template");
    Template(serde_yaml_ng::from_str(&text).expect("YAML"))
});

/// A resource of the template.
#[derive(Clone, Copy)]
pub struct Resource {
    /// Its logical id.
    pub id: &'static str,
    value: &'static Value,
}

/// The template.
pub fn template() -> &'static Template {
    &TEMPLATE
}

impl Template {
    /// All resources, in the order they stand in.
    pub fn resources(&'static self) -> impl Iterator<Item = Resource> {
        let resources = self.0["Resources"].as_mapping().expect("resources");
        resources.iter().map(|(id, value)| Resource { id: id.as_str().expect("a logical id"), value })
    }

    /// Those of a type (`AWS::SQS::Queue`).
    pub fn of_type(&'static self, kind: &'static str) -> impl Iterator<Item = Resource> {
        self.resources().filter(move |resource| resource.value["Type"].as_str() == Some(kind))
    }

    /// One by its logical id.
    pub fn resource(&'static self, id: &str) -> Resource {
        self.resources().find(|resource| resource.id == id).unwrap_or_else(|| panic!("{id} in the template"))
    }

    /// A parameter.
    pub fn parameter(&'static self, name: &str) -> &'static Value {
        &self.0["Parameters"][name]
    }

    /// A number, or those that `!FindInMap [map, parameter, name]` may be.
    pub fn numbers(&self, value: &Value) -> Vec<u64> {
        match bare(value).as_sequence() {
            None => vec![value.as_u64().expect("a number")],
            Some(path) => {
                let rows = self.0["Mappings"][words(&path[0])].as_mapping().expect("a mapping");
                rows.values().map(|row| row[words(&path[2])].as_u64().expect("a number")).collect()
            }
        }
    }

    /// What a parameter is where nobody says otherwise.
    pub fn default_of(&self, parameter: &str) -> String {
        words(&self.0["Parameters"][parameter]["Default"])
    }

    /// What every function has (`["Environment", "Variables"]`).
    pub fn of_all_functions(&'static self, path: &[&str]) -> &'static Value {
        down(&self.0["Globals"]["Function"], path)
    }
}

impl Resource {
    /// A property by its path; null where it has none.
    pub fn at(&self, path: &[&str]) -> &'static Value {
        down(&self.value["Properties"], path)
    }

    /// A property as words.
    pub fn text(&self, path: &[&str]) -> String {
        words(self.at(path))
    }

    /// A property that is a number.
    pub fn number(&self, path: &[&str]) -> u64 {
        self.at(path).as_u64().unwrap_or_else(|| panic!("{} has a number at {path:?}", self.id))
    }

    /// What stands beside its properties (`Metadata`).
    pub fn beside(&self, name: &str) -> &'static Value {
        &self.value[name]
    }
}

fn down(value: &'static Value, path: &[&str]) -> &'static Value {
    path.iter().fold(bare(value), |value, step| match step.parse::<usize>() {
        Ok(at) => bare(&value[at]),
        Err(_) => bare(&value[*step]),
    })
}

/// Without its tag.
fn bare(value: &Value) -> &Value {
    if let Value::Tagged(tagged) = value { &tagged.value } else { value }
}

/// A value as words: numbers and intrinsic functions alike.
pub fn words(value: &Value) -> String {
    match bare(value) {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        Value::Null => String::new(),
        several @ (Value::Sequence(_) | Value::Mapping(_) | Value::Tagged(_)) => {
            panic!("{several:?} is no single value")
        }
    }
}

/// One or many, as many.
pub fn many(value: &Value) -> Vec<String> {
    match bare(value).as_sequence() {
        Some(values) => values.iter().map(words).collect(),
        None if bare(value).is_null() => Vec::new(),
        None => vec![words(value)],
    }
}

/// What `!If [condition, then, else]` is when the condition holds; anything else as it is.
pub fn when_so(value: &Value) -> &Value {
    if let Value::Tagged(tagged) = value
        && tagged.tag == "If"
    {
        &tagged.value[1]
    } else {
        value
    }
}
