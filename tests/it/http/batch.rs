//! `POST /v1/decisions:batch`: many lines through one call, on a real socket. Judges no single decision.

use std::fmt::Write as _;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use proffer::domain::DecisionId;
use serde_json::{Value, json};

use super::service::{Plan, Service};
use super::shop::{self, NOW, ask, ask_as, id, with};
use crate::harness::database::Kind;

/// A connection on which the head of a batch was sent, and its body may follow in chunks.
fn open(service: &Service) -> TcpStream {
    let address = service.url.strip_prefix("http://").unwrap().parse().unwrap();
    // Small buffers, so that what the service holds back is soon noticed here.
    let socket = service.wait(async {
        let socket = actix_web::rt::net::TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(16 * 1024).unwrap();
        socket.set_send_buffer_size(16 * 1024).unwrap();
        socket.connect(address).await.unwrap().into_std().unwrap()
    });
    socket.set_nonblocking(false).unwrap();
    socket.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
    let key = &service.admin;
    let head = format!(
        "POST /v1/decisions:batch HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\nconnection: close\r\n\
         content-type: application/x-ndjson\r\ntransfer-encoding: chunked\r\n\r\n"
    );
    (&socket).write_all(head.as_bytes()).unwrap();
    socket
}

fn chunk(bytes: &[u8]) -> Vec<u8> {
    [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat()
}

/// The body of an answer that came in chunks, to its end.
fn body_of(answer: &[u8]) -> Vec<u8> {
    let at = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    let head = String::from_utf8_lossy(&answer[..at]).to_lowercase();
    assert!(head.starts_with("http/1.1 200") && head.contains("content-type: application/x-ndjson"), "{head}");
    let (mut rest, mut body) = (&answer[at + 4..], Vec::new());
    loop {
        let end = rest.windows(2).position(|window| window == b"\r\n").expect("the answer is complete");
        let length = usize::from_str_radix(std::str::from_utf8(&rest[..end]).unwrap(), 16).unwrap();
        if length == 0 {
            return body;
        }
        body.extend_from_slice(&rest[end + 2..end + 2 + length]);
        rest = &rest[end + 4 + length..];
    }
}

/// Sends a body while its answer is read, as curl does; every line of the answer.
fn batch(service: &Service, body: &[u8]) -> Vec<Value> {
    let socket = open(service);
    let sender = socket.try_clone().unwrap();
    let answer = std::thread::scope(|scope| {
        scope.spawn(|| {
            for piece in body.chunks(10_007) {
                (&sender).write_all(&chunk(piece)).unwrap();
            }
            (&sender).write_all(b"0\r\n\r\n").unwrap();
        });
        let mut answer = Vec::new();
        (&socket).read_to_end(&mut answer).unwrap();
        answer
    });
    let body = String::from_utf8(body_of(&answer)).unwrap();
    body.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn lines(requests: impl IntoIterator<Item = Value>) -> Vec<u8> {
    requests.into_iter().fold(String::new(), |text, request| text + &request.to_string() + "\n").into_bytes()
}

/// The number of each line and what it was told, for people.
fn told(answers: &[Value]) -> String {
    let mut text = String::new();
    for answer in answers {
        let what = match answer["detail"].as_str() {
            Some(detail) => format!("{} {detail}", answer["status"]),
            None => "decided".to_owned(),
        };
        let _ = writeln!(text, "{} {what}", answer["line"]);
        for error in answer["errors"].as_array().into_iter().flatten() {
            let _ = writeln!(text, "    at `{}`", error["pointer"].as_str().unwrap());
        }
    }
    text
}

#[test]
fn ten_thousand_lines_are_decided_in_the_order_of_the_lines() {
    let service = Service::start();
    let decision = |number: u64| {
        let mut bits = [7; 10];
        bits[2..].copy_from_slice(&number.to_be_bytes());
        DecisionId::from_parts(NOW.0, bits).to_string()
    };
    let request = |number: u64| {
        let request = with(&ask(&format!("c-{}", number % 4_000)), "decision_id", &json!(decision(number)));
        with(&request, "count", &json!(1))
    };
    let answers = batch(&service, &lines((1..=10_000).map(request)));
    assert_eq!(answers.len(), 10_000);
    for (number, answer) in (1..).zip(&answers) {
        assert_eq!((&answer["line"], &answer["decision_id"]), (&json!(number), &json!(decision(number))), "{answer}");
    }
    let totals = service.wait(service.core.store.totals()).unwrap();
    assert_eq!(totals.decisions, 10_000);
    let mut single = service.decide(&request(77)).ok();
    single["line"] = json!(77);
    assert_eq!(single, answers[76], "a line is answered as a single request is");
}

#[test]
fn a_signal_stands_in_the_line_it_is_about_and_a_header_is_about_none() {
    let obeys = "dpv: ProvideProductRecommendations\n    gpc: refuse\n";
    let files = shop::policies_with("dpv: ProvideProductRecommendations\n", obeys);
    let service = Plan::new(Kind::Sqlite).policies(files).start();
    service.import(&shop::offers());
    service.consent("c-1", "granted");
    let signalled = with(&ask_as(1, "c-1"), "privacy_signal", &json!(true));
    let body = lines([signalled, ask_as(2, "c-1"), with(&ask_as(3, "c-1"), "privacy_signal", &json!(false))]);
    let key = format!("Bearer {}", service.admin);
    let headers = [("authorization", key.as_str()), ("content-type", "application/x-ndjson"), ("sec-gpc", "1")];
    let answer = service.send("POST", "/v1/decisions:batch", &headers, Some(&body));
    let refused: Vec<(Value, bool)> = answer
        .body
        .lines()
        .map(|line| service.record(&serde_json::from_str(line).unwrap()))
        .map(|record| (record["private"]["privacy_signal"].clone(), record["refused_purpose"].is_null()))
        .collect();
    assert_eq!(refused, [(json!(true), false), (json!(false), true), (json!(false), true)]);
    service.remove();
}

#[test]
fn a_line_that_is_wrong_is_told_so_and_spoils_no_other() {
    let service = Service::start();
    let mut body = lines([ask_as(1, "c-1"), json!({"placement": "nowhere"})]);
    body.extend_from_slice(b"\n  \n{\"placement\": \n[]\n{\"placement\": \"home\", \"place\": 1}\n\"caf\xe9\"\n");
    body.extend_from_slice(&vec![b' '; 256 * 1024]);
    body.extend_from_slice(b"{}\n");
    body.extend(lines([ask_as(1, "c-1"), ask_as(1, "c-2"), with(&ask("c-3"), "dry_run", &json!(true))]));
    // The last line has no line end.
    body.extend_from_slice(ask_as(2, "c-4").to_string().as_bytes());
    let answers = batch(&service, &body);
    insta::assert_snapshot!(told(&answers), @"
    1 decided
    2 422 unknown placement `nowhere`: expected one of `explore`, `home`
        at `/placement`
    5 400 EOF while parsing a value at column 14
    6 422 invalid length 0, expected a request for a decision as a JSON object
        at ``
    7 422 unknown field `place`, expected one of `decision_id`, `customer`, `placement`, `count`, `jurisdiction`, `time_zone`, `privacy_signal`, `store`, `context`, `basket`, `candidates`, `dry_run`
        at `/place`
    8 400 byte 5 of the line is not UTF-8: write the file as UTF-8
    9 413 the line is longer than 262144 bytes: it was passed over; send less in it
    10 decided
    11 409 decision `019ca8bb-b5c0-7101-8101-010101010101` was made for another request: send the same body again, or use a new decision id
    12 decided
    13 decided
    ");
    assert_eq!(answers[0]["offers"], answers[7]["offers"], "the same id is answered as before");
    assert_eq!(answers[9]["dry_run"], true);
    let printed = service.send("GET", "/metrics", &[], None).body;
    for (result, count) in [("answered", 4), ("refused", 7), ("failed", 0)] {
        let series = format!("proffer_stream_lines_total{{result=\"{result}\"}} {count}");
        assert!(printed.contains(&series), "{series} in {printed}");
    }
}

/// Sends a piece again and again until the service reads no more: how often, and what is left of the last one.
fn send_until_stopped(mut socket: &TcpStream, piece: &[u8]) -> (usize, usize) {
    const SENT_MAX: usize = 64 << 20;
    socket.set_write_timeout(Some(Duration::from_secs(2))).unwrap();
    for sent in 1..=SENT_MAX / piece.len() {
        let mut left = piece;
        while !left.is_empty() {
            match socket.write(left) {
                Ok(taken) => left = &left[taken..],
                Err(error) => {
                    assert!([ErrorKind::WouldBlock, ErrorKind::TimedOut].contains(&error.kind()), "{error}");
                    return (sent, left.len());
                }
            }
        }
    }
    panic!("the service read {SENT_MAX} bytes, whatever became of them");
}

#[test]
fn no_more_is_read_than_can_be_in_work_where_there_is_no_room() {
    let service = Plan::new(Kind::Sqlite).waiting_max(0).start();
    let line = [ask("c-1").to_string().as_bytes(), vec![b' '; 8 * 1024].as_slice(), b"\n"].concat();
    let (sent, _) = send_until_stopped(&open(&service), &chunk(&line));
    // Those in work, and what the buffers between here and the service hold.
    assert!((256..4_000).contains(&sent), "{sent} lines were taken");
}

#[test]
fn a_client_that_takes_no_answers_is_not_read_from_either() {
    let service = Service::start();
    let socket = open(&service);
    // Answers larger than their lines, which are padded so that they fill what lies between here and the service.
    let request = with(&ask("c-1"), "dry_run", &json!(true));
    let line = [request.to_string().as_bytes(), vec![b' '; 8 * 1024].as_slice(), b"\n"].concat();
    let piece = chunk(&line);
    let (sent, stopped_within) = send_until_stopped(&socket, &piece);
    // Whoever takes them after all gets every one.
    socket.set_write_timeout(Some(Duration::from_mins(1))).unwrap();
    let sender = socket.try_clone().unwrap();
    let answer = std::thread::scope(|scope| {
        scope.spawn(|| {
            (&sender).write_all(&piece[piece.len() - stopped_within..]).unwrap();
            (&sender).write_all(b"0\r\n\r\n").unwrap();
        });
        let mut answer = Vec::new();
        (&socket).read_to_end(&mut answer).unwrap();
        answer
    });
    let answers = String::from_utf8(body_of(&answer)).unwrap().lines().count();
    assert_eq!(answers, sent);
}

#[test]
fn what_was_decided_before_the_client_hung_up_stays_and_half_a_line_is_not_decided() {
    let service = Service::start();
    let socket = open(&service);
    (&socket).write_all(&chunk(&lines([ask_as(1, "c-1"), ask_as(2, "c-2")]))).unwrap();
    // Whoever hears of a decision knows that it is stored.
    let mut answered = Vec::new();
    while String::from_utf8_lossy(&answered).matches("\"line\":").count() < 2 {
        let mut piece = [0; 4_096];
        let taken = (&socket).read(&mut piece).unwrap();
        assert!(taken > 0, "{}", String::from_utf8_lossy(&answered));
        answered.extend_from_slice(&piece[..taken]);
    }
    (&socket).write_all(&chunk(ask_as(3, "c-3").to_string().as_bytes())).unwrap();
    socket.shutdown(Shutdown::Both).unwrap();
    drop(socket);
    for (number, status) in [(1, 200), (2, 200), (3, 404)] {
        let answer = service.call("GET", &format!("/v1/decisions/{}", id(number)), None);
        assert_eq!(answer.status, status, "{number}: {}", answer.body);
    }
    let again = batch(&service, &lines([ask_as(1, "c-1"), ask_as(2, "c-2"), ask_as(3, "c-3")]));
    assert!(again.iter().all(|answer| answer["decision_id"].is_string()), "{}", told(&again));
    assert_eq!(service.wait(service.core.store.totals()).unwrap().decisions, 3);
}

#[test]
fn lines_wait_where_there_is_no_room_and_are_all_decided() {
    let service = Plan::new(Kind::Sqlite).waiting_max(8).start();
    service.import(&shop::offers());
    let answers = batch(&service, &lines((0..60).map(|number| ask(&format!("c-{number}")))));
    assert_eq!(answers.len(), 60);
    assert!(answers.iter().all(|answer| answer["decision_id"].is_string()), "{}", told(&answers));
    let printed = service.send("GET", "/metrics", &[], None).body;
    assert!(!printed.contains("proffer_stream_lines_total{result=\"waited\"} 0"), "{printed}");
}

#[test]
fn lines_say_when_to_come_back_where_the_store_is_away() {
    let service = Plan::new(Kind::Postgres).start();
    service.import(&shop::offers());
    service.lose_store();
    let answers = batch(&service, &lines([ask("c-1"), json!({"placement": "nowhere"})]));
    assert_eq!((&answers[0]["status"], &answers[0]["retry_after_seconds"]), (&json!(503), &json!(1)), "{answers:?}");
    assert_eq!((&answers[1]["status"], &answers[1]["line"]), (&json!(422), &json!(2)));
}

#[test]
fn a_batch_of_nothing_is_answered_with_nothing() {
    let service = Service::start();
    assert_eq!(batch(&service, b"\n\n"), Vec::<Value>::new());
}
