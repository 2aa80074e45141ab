//! The demo pipeline of `tombolo dev`, and what it says to people.
//!
//! Not here: starting the worker.

use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use tombolo_herder::{Error, HerderHandle};

use super::Place;

/// Name of the demo's source.
const SOURCE: &str = "demo-orders";
/// Name of the demo's sink.
const SINK: &str = "demo-file";
/// How many rows are shown before the demo goes on silently.
const ROWS_SHOWN: usize = 5;
/// Topic between them.
const TOPIC: &str = "orders";
/// Longest wait for the source's first record before the sink is created all the same.
const SOURCE_WAIT: Duration = Duration::from_secs(10);
/// How often the output is looked at.
const LOOK: Duration = Duration::from_millis(100);

/// Says where everything is.
pub(super) fn welcome(place: &Place) {
    let broker = if place.is_built_in {
        format!(
            "{}  (built in, for trying out; it keeps topics in {})",
            place.bootstrap,
            place.folder.join("kafka").display()
        )
    } else {
        place.bootstrap.clone()
    };
    say(&format!("\n  Kafka     {broker}\n  REST API  {}\n", place.url));
}

/// Creates the demo's connectors where they are not there yet, and shows the first rows of their output.
pub(super) async fn start(herder: &HerderHandle, place: Place) -> anyhow::Result<()> {
    let file = place.folder.canonicalize().context("the data folder is gone")?.join("orders.txt");
    let source =
        [("connector.class", "Datagen"), ("topic", TOPIC), ("quickstart", "orders"), ("rate", "5")];
    let output = file.display().to_string();
    let sink = [
        ("connector.class", "FileStreamSink"),
        ("topics", TOPIC),
        ("file", output.as_str()),
        ("transforms", "mask,label"),
        ("transforms.mask.type", "org.apache.kafka.connect.transforms.MaskField$Value"),
        ("transforms.mask.fields", "card"),
        ("transforms.mask.replacement", "****"),
        ("transforms.label.type", "org.apache.kafka.connect.transforms.InsertField$Value"),
        ("transforms.label.topic.field", "topic"),
    ];
    if create(herder, SOURCE, &source).await? {
        // A sink complains of a topic that is not there yet.
        tokio::time::timeout(SOURCE_WAIT, first_record(herder)).await.unwrap_or(Ok(()))?;
    }
    create(herder, SINK, &sink).await?;
    tokio::spawn(show(file, place.url));
    Ok(())
}

/// Waits until the source's first record is in its topic.
async fn first_record(herder: &HerderHandle) -> Result<(), Error> {
    while !herder.topics(SOURCE)?.iter().any(|topic| topic == TOPIC) {
        tokio::time::sleep(LOOK).await;
    }
    Ok(())
}

/// Creates a connector, and answers whether there was none.
async fn create(
    herder: &HerderHandle,
    name: &str,
    config: &[(&str, &str)],
) -> anyhow::Result<bool> {
    let config = config
        .iter()
        .map(|(name, value)| ((*name).to_owned(), Some((*value).to_owned())))
        .collect();
    match herder.create(name, config, None).await {
        // It was made by an earlier run, and perhaps changed since: it stays as it is.
        Err(Error::AlreadyExists(_)) => Ok(false),
        Ok(_) => Ok(true),
        Err(error) => Err(anyhow::anyhow!("{error}").context(format!("cannot create {name}"))),
    }
}

/// Shows the next rows of the output, then says what to try.
async fn show(file: std::path::PathBuf, url: String) {
    say(&format!(
        "  Demo      datagen -> topic orders -> mask the card, insert the topic -> {}\n",
        file.display()
    ));
    let mut seen = lines(&file).await.len();
    let mut left = ROWS_SHOWN;
    while left > 0 {
        tokio::time::sleep(LOOK).await;
        let lines = lines(&file).await;
        for line in lines.iter().skip(seen).take(left) {
            say(&format!("    {line}"));
            left -= 1;
        }
        seen = lines.len();
    }
    say(&format!(
        "    ...\n\n  Try next\n    curl {url}/connectors?expand=status\n    curl -X PUT {url}/connectors/{SOURCE}/pause\n    tail -f {}\n    curl --data-binary @plugin.wasm {url}/connector-plugins     upload a plugin of your own (sdk/README.md)\n\n  Ctrl-C ends it; the next start goes on where this one stopped.\n",
        file.display()
    ));
}

/// The complete lines of a file.
async fn lines(file: &Path) -> Vec<String> {
    let text = tokio::fs::read(file).await.unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let complete = text.rfind('\n').map_or("", |end| text.get(..end).unwrap_or_default());
    complete.lines().map(str::to_owned).collect()
}

#[expect(clippy::print_stdout, reason = "this is what `tombolo dev` shows")]
fn say(text: &str) {
    println!("{text}");
    // A terminal that is gone is no reason to stop.
    std::io::stdout().flush().ok();
}
