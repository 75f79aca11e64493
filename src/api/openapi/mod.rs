//! `/openapi.json`: what can be asked, in OpenAPI 3.1, made from the table of routes and from the types that requests
//! are read into. Adds no route and reads no request.

pub mod answers;

pub mod approvals;
pub mod bundles;

pub mod catalogue;

pub mod examples;

pub mod log;

pub mod operations;

pub mod pools;

pub mod privacy;

pub mod rechecks;

pub mod record;

pub mod replays;

pub mod reports;

pub mod shapes;

pub mod shelf;

pub mod switches;

use std::collections::BTreeMap;

use utoipa::ToSchema;
use utoipa::openapi::path::{HttpMethod, Operation, OperationBuilder, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::{RequestBody, RequestBodyBuilder};
use utoipa::openapi::schema::Schema;
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{
    ComponentsBuilder, ContentBuilder, Header, InfoBuilder, License, ObjectBuilder, OpenApi, OpenApiBuilder,
    PathsBuilder, Ref, RefOr, Required, Response, ResponseBuilder, ResponsesBuilder, path, schema,
};

use self::operations::{About, Answer};
use super::routes::{Access, ROUTES, Route};
use crate::runtime::Role;

/// Schemas by name.
pub type Schemas = BTreeMap<String, RefOr<Schema>>;

/// Says which schema a body has, and adds that schema with all that it needs.
pub type Shape = fn(&mut Schemas) -> RefOr<Schema>;

/// The shape of a type, by reference.
pub fn shape<T: ToSchema>(schemas: &mut Schemas) -> RefOr<Schema> {
    let mut found = Vec::new();
    gather::<T>(&mut found);
    schemas.extend(found);
    reference(&T::name())
}

/// The shape of a list of a type.
pub fn list<T: ToSchema>(schemas: &mut Schemas) -> RefOr<Schema> {
    RefOr::T(schema::ArrayBuilder::new().items(shape::<T>(schemas)).min_items(Some(1)).build().into())
}

/// The shape of one of a type, or of a list of it.
pub fn one_or_list<T: ToSchema>(schemas: &mut Schemas) -> RefOr<Schema> {
    let one = shape::<T>(schemas);
    let many = schema::ArrayBuilder::new().items(one.clone());
    RefOr::T(schema::OneOfBuilder::new().item(one).item(many).build().into())
}

/// The shape of one of several, or of more than one of them at once.
pub fn any_of<const N: usize>(shapes: [RefOr<Schema>; N]) -> RefOr<Schema> {
    let any = shapes.into_iter().fold(schema::AnyOfBuilder::new(), schema::AnyOfBuilder::item);
    RefOr::T(any.build().into())
}

/// The shape of text.
pub fn text(_: &mut Schemas) -> RefOr<Schema> {
    RefOr::T(ObjectBuilder::new().schema_type(schema::Type::String).build().into())
}

/// The shape of anything that is an object.
pub fn object(_: &mut Schemas) -> RefOr<Schema> {
    RefOr::T(ObjectBuilder::new().schema_type(schema::Type::Object).build().into())
}

fn gather<T: ToSchema>(found: &mut Vec<(String, RefOr<Schema>)>) {
    found.push((T::name().into_owned(), T::schema()));
    T::schemas(found);
}

fn reference(name: &str) -> RefOr<Schema> {
    RefOr::Ref(Ref::from_schema_name(name))
}

const PROBLEM: &str = "application/problem+json";
const JSON: &str = "application/json";

/// The name of the scheme of API keys.
pub const BEARER: &str = "apiKey";

/// The headers of a signed webhook, each a scheme of its own that all three of are needed.
pub const SIGNATURE: [(&str, &str, &str); 3] = [
    ("webhookId", "webhook-id", "The message's own id; the same when it is sent again."),
    ("webhookTimestamp", "webhook-timestamp", "Seconds since 1970; at most five minutes from the service's time."),
    (
        "webhookSignature",
        "webhook-signature",
        "Standard Webhooks: one or more `v1,BASE64`, each an HMAC-SHA256 over `id.timestamp.body` with the source's \
         secret, separated by spaces. The source must be the one that the events name.",
    ),
];

/// The document as text.
pub fn print() -> String {
    let mut text = serde_json::to_string_pretty(&document()).unwrap_or_default();
    text.push('\n');
    text
}

fn document() -> OpenApi {
    let mut schemas = Schemas::new();
    let mut paths = PathsBuilder::new();
    for route in ROUTES {
        let item = path::PathItem::new(method(route.method), operation(route, &mut schemas));
        paths = paths.path(route.path, item);
    }
    let mut components =
        ComponentsBuilder::new().schemas_from_iter(schemas).security_scheme(BEARER, SecurityScheme::Http(bearer()));
    for (name, header, meaning) in SIGNATURE {
        let key = ApiKeyValue::with_description(header, meaning);
        components = components.security_scheme(name, SecurityScheme::ApiKey(ApiKey::Header(key)));
    }
    let info = InfoBuilder::new()
        .title("Proffer")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(operations::INTRODUCTION))
        .license(Some(License::new("MIT OR Apache-2.0")));
    OpenApiBuilder::new().info(info).paths(paths).components(Some(components.build())).build()
}

fn method(name: &str) -> HttpMethod {
    match name {
        "POST" => HttpMethod::Post,
        "PUT" => HttpMethod::Put,
        "DELETE" => HttpMethod::Delete,
        "PATCH" => HttpMethod::Patch,
        _ => HttpMethod::Get,
    }
}

fn bearer() -> utoipa::openapi::security::Http {
    let roles: Vec<&str> = Role::ALL.iter().map(|(_, name)| *name).collect();
    HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some(format!(
            "An API key, made with `proffer keys create`. Its roles, of `{}`, say what it may do; what is listed with \
             each call is the role that it needs, any one of several. `admin` may do everything.",
            roles.join("`, `")
        )))
        .build()
}

fn operation(route: &Route, schemas: &mut Schemas) -> Operation {
    let about = (route.about)();
    let mut operation = OperationBuilder::new()
        .operation_id(Some(about.id))
        .tag(about.tag)
        .summary(Some(about.summary))
        .description(Some(format!("{}\n\n{}", about.description, who(route.access))));
    for (name, meaning) in about.path_parts {
        operation = operation.parameter(parameter(name, meaning, ParameterIn::Path, schemas));
    }
    for (name, meaning) in about.query {
        operation = operation.parameter(parameter(name, meaning, ParameterIn::Query, schemas));
    }
    for (name, meaning) in about.headers {
        operation = operation.parameter(parameter(name, meaning, ParameterIn::Header, schemas));
    }
    let body = about.body.as_ref().map(|body| request_body(&about, body, schemas));
    operation = operation.request_body(body);
    let mut responses = ResponsesBuilder::new();
    for answer in answers(route, &about) {
        responses = responses.response(answer.status.to_string(), response(&answer, schemas));
    }
    operation.responses(responses).securities(Some(security(route.access))).build()
}

/// Who may ask, in a sentence.
fn who(access: Access) -> String {
    let roles = access.roles().iter().map(|role| format!("`{}`", role.name())).collect::<Vec<_>>().join(" or ");
    match access {
        Access::Open => "Needs no key.".to_owned(),
        Access::Roles(_) => format!("Needs a key with the role {roles}."),
        Access::Own(_) => format!("Needs a key that has the role {roles} itself: `admin` is not enough."),
        Access::Signed(_) => {
            format!("Needs the signature of the source that the events name, or a key with the role {roles}.")
        }
        Access::Scrape(_) => format!(
            "Needs a key with the role {roles}, unless the setting `metrics` opens it: `loopback` (the default) where \
             the service listens on loopback addresses only, `open` everywhere, `key` nowhere."
        ),
    }
}

/// The same for machines: one alternative per role.
fn security(access: Access) -> Vec<SecurityRequirement> {
    let nobody: [&str; 0] = [];
    let mut alternatives = Vec::new();
    match access {
        Access::Open => return vec![SecurityRequirement::default()],
        Access::Signed(_) => alternatives
            .push(SIGNATURE.iter().fold(SecurityRequirement::default(), |all, (name, ..)| all.add(*name, nobody))),
        Access::Scrape(_) => alternatives.push(SecurityRequirement::default()),
        Access::Roles(_) | Access::Own(_) => {}
    }
    let roles = access.roles().iter().copied().chain(access.admits_admin().then_some(Role::Admin));
    alternatives.extend(roles.map(|role| SecurityRequirement::new(BEARER, [role.name()])));
    alternatives
}

fn parameter(name: &str, meaning: &str, place: ParameterIn, schemas: &mut Schemas) -> Parameter {
    let required = if place == ParameterIn::Path { Required::True } else { Required::False };
    ParameterBuilder::new()
        .name(name)
        .parameter_in(place)
        .required(required)
        .description(Some(meaning))
        .schema(Some(text(schemas)))
        .build()
}

fn request_body(
    about: &About,
    (shape, examples): &(Shape, Vec<examples::Example>),
    schemas: &mut Schemas,
) -> RequestBody {
    let named = examples.iter().map(|example| {
        let shown = utoipa::openapi::example::ExampleBuilder::new()
            .summary(example.summary)
            .value(Some(example.value.clone()))
            .build();
        (example.name, RefOr::T(shown))
    });
    let content = ContentBuilder::new().schema(Some(shape(schemas))).examples_from_iter(named).build();
    let mut body = RequestBodyBuilder::new().content(about.body_type, content).required(Some(Required::True));
    for media_type in about.body_texts {
        body = body.content(*media_type, ContentBuilder::new().schema(Some(text(schemas))).build());
    }
    body.build()
}

/// What a call may be answered: what is particular to it, and what follows from who may ask and what it reads.
fn answers(route: &Route, about: &About) -> Vec<Answer> {
    let mut answers = about.answers.clone();
    let keyed = route.access != Access::Open;
    // Of a stream every line is answered for itself.
    let has_body = about.body.is_some() && about.body_type == JSON;
    let common = [
        (has_body, 400, "The body is not the JSON expected."),
        (keyed, 401, "No key or signature was sent, or none that is known."),
        (keyed, 403, "The key has another role."),
        (has_body, 413, "The body is too large."),
        (true, 500, "The service failed; its log says why."),
    ];
    for (holds, status, meaning) in common {
        if holds {
            answers.push(Answer::problem(status, meaning));
        }
    }
    answers.sort_by_key(|answer| answer.status);
    answers
}

fn response(answer: &Answer, schemas: &mut Schemas) -> Response {
    let mut response = ResponseBuilder::new().description(answer.meaning);
    for (media_type, shape) in &answer.content {
        let schema = shape(schemas);
        response = response.content(*media_type, ContentBuilder::new().schema(Some(schema)).build());
    }
    let header = |meaning: &str| {
        let mut header = Header::default();
        header.description = Some(meaning.to_owned());
        header
    };
    match answer.status {
        401 => response.header("WWW-Authenticate", header("`Bearer realm=\"proffer\"`")),
        503 => response.header("Retry-After", header("Seconds to wait.")),
        _ => response,
    }
    .build()
}
