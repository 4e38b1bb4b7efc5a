//! What the descriptions of all listeners (OpenAPI 3.1) have in common. Each route is described
//! beside its handler.

use std::{collections::BTreeMap, env, fs, path::Path};

use serde_json::{Map, Value, json};
use utoipa::{
    IntoResponses, OpenApi,
    openapi::{Ref, RefOr, Response},
};

use crate::problem;

/// Where a listener's description is read. A browser-facing listener's is on the internal one.
pub const OF_THE_INTERNAL_LISTENER: &str = "/openapi.json";

/// Where the public listener's is read, on the internal one.
pub const OF_THE_PUBLIC_LISTENER: &str = "/openapi-public.json";

/// With this variable set, [`assert_current`] writes the file.
const WRITE: &str = "WRITE_API_DESCRIPTIONS";

/// A refusal with this status, as a problem.
#[derive(Debug)]
pub struct Problems<const STATUS: u16>;

/// The refusals of a body that is no JSON, too large or too slow, or doesn't say what it has to.
#[derive(Debug)]
pub struct BodyProblems;

impl<const STATUS: u16> IntoResponses for Problems<STATUS> {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        BTreeMap::from([problem_response(STATUS)])
    }
}

impl IntoResponses for BodyProblems {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        [400, 408, 413, 415].map(problem_response).into()
    }
}

fn problem_response(status: u16) -> (String, RefOr<Response>) {
    let named = RefOr::Ref(Ref::from_response_name("Problem"));
    (status.to_string(), named)
}

#[derive(OpenApi)]
#[openapi(components(schemas(problem::Body<'static>), responses()))]
struct Shared;

/// The description as it is served, of a listener whose routes are these. What may be answered with
/// 401 on an internal listener needs the bearer key.
///
/// # Panics
///
/// It can't be written as JSON, which no description does.
pub fn finished(mut routes: utoipa::openapi::OpenApi, is_internal: bool) -> Value {
    routes.merge(Shared::openapi());
    let mut description = serde_json::to_value(routes).expect("it is JSON");
    description["components"]["responses"]["Problem"] = json!({
        "description": "What went wrong (RFC 9457)",
        "content": {
            "application/problem+json": {
                "schema": { "$ref": "#/components/schemas/Problem" },
            },
        },
    });
    if is_internal {
        description["components"]["securitySchemes"] =
            json!({ "bearer": { "type": "http", "scheme": "bearer" } });
        description["security"] = json!([{ "bearer": [] }]);
    }
    if let Some(info) = description["info"].as_object_mut() {
        info.remove("contact");
        info.remove("license");
    }
    let paths = description["paths"].as_object_mut().into_iter();
    let items = paths.flat_map(Map::values_mut);
    let items = items.filter_map(Value::as_object_mut);
    for operation in items.flat_map(Map::values_mut) {
        let is_open = operation["responses"]["401"].is_null();
        if let Some(operation) = operation.as_object_mut() {
            // Functions' names, of which several modules have the same, and comments on code.
            operation.remove("operationId");
            operation.remove("description");
            if is_internal && is_open {
                operation.insert("security".to_owned(), json!([]));
            }
        }
    }
    unwrap_lines(&mut description);
    description
}

/// Comments on code are wrapped.
fn unwrap_lines(part: &mut Value) {
    match part {
        Value::String(text) => *text = text.replace('\n', " "),
        Value::Array(parts) => parts.iter_mut().for_each(unwrap_lines),
        Value::Object(members) => members.values_mut().for_each(unwrap_lines),
        _ => {}
    }
}

/// Checks that a file holds this description.
///
/// # Panics
///
/// It holds another one.
pub fn assert_current(file: &Path, description: &Value) {
    if env::var_os(WRITE).is_some() {
        fs::write(file, format!("{description:#}\n")).expect("the description can be written");
    }
    let text = fs::read(file).expect("the description can be read");
    let held: Value = serde_json::from_slice(&text).expect("the description is JSON");
    let file = file.display();
    assert!(
        held == *description,
        "{file} isn't what the handlers say: run this test with {WRITE}=1"
    );
}
