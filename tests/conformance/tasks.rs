//! Tools of the suite that become tasks, for clients that know what that is.

use super::calls::text;
use super::inputs::{Answers, asking, form};
use rmcp::ErrorData;
use rmcp::model::{CallToolRequestParams, CallToolResponse, CallToolResult, ClientCapabilities, CreateTaskResult, InputRequest};
use rmcp::task_manager::{TaskContext, TaskExit, TaskManager, TaskOptions};
use serde_json::{Value, json};
use std::time::Duration;

/// These can be nothing but a task.
const ALWAYS: [&str; 4] = ["failing_job", "test_tool_with_task", "confirm_delete", "multi_input"];

/// Calls a tool; `None`: it is none of these.
pub async fn call(
    tasks: &TaskManager,
    request: &CallToolRequestParams,
    client: &ClientCapabilities,
) -> Option<Result<CallToolResponse, ErrorData>> {
    let name = request.name.to_string();
    if !matches!(name.as_str(), "greet" | "slow_compute" | "protocol_error_job") && !ALWAYS.contains(&name.as_str()) {
        return None;
    }
    let given = |key: &str| request.arguments.as_ref().and_then(|given| given.get(key)).cloned().unwrap_or_default();
    if name == "greet" {
        return Some(Ok(text(format!("Hello, {}!", given("name").as_str().unwrap_or("friend"))).into()));
    }
    let can = client.supports_tasks();
    if ALWAYS.contains(&name.as_str()) && !can {
        let needed = ClientCapabilities::builder().enable_tasks().build();
        return Some(Err(ErrorData::missing_required_client_capability(needed)));
    }
    let who = Answers(request.input_responses.as_ref()).field("user_name", "name");
    if name == "test_tool_with_task" && who.is_none() {
        return Some(Ok(asking(json!({"user_name": form("What is your name?", "name", "string")}), None).into()));
    }
    let job = Job { name, seconds: given("seconds").as_f64().unwrap_or(1.0), said: who.unwrap_or_default() };
    if !can {
        return Some(job.alone().map(Into::into));
    }
    let task = tasks.spawn(TaskOptions::default(), move |cx| Box::pin(job.run(cx)));
    Some(Ok(CreateTaskResult::new(task).into()))
}

/// What a task does.
struct Job {
    name: String,
    seconds: f64,
    said: String,
}

impl Job {
    async fn run(self, cx: TaskContext) -> Result<CallToolResult, TaskExit> {
        match self.name.as_str() {
            "confirm_delete" => {
                let answer = cx.request_input("confirm", request(form("Delete the file?", "confirm", "boolean"))).await?;
                Ok(text(format!("confirmed: {}", answer["content"]["confirm"])))
            }
            "multi_input" => {
                let ask = |key: &'static str| cx.request_input(key, request(form("Provide a value", "value", "string")));
                let (a, b) = tokio::join!(ask("input-a"), ask("input-b"));
                Ok(text(format!("values: {} and {}", a?["content"]["value"], b?["content"]["value"])))
            }
            // It computes for as long as it was told to, unless it is told to stop.
            "slow_compute" => match tokio::time::timeout(Duration::from_secs_f64(self.seconds), cx.cancelled()).await {
                Ok(()) => Err(TaskExit::Cancelled),
                Err(_) => self.alone().map_err(TaskExit::Error),
            },
            _ => self.alone().map_err(TaskExit::Error),
        }
    }

    /// The work itself, which asks nobody.
    fn alone(&self) -> Result<CallToolResult, ErrorData> {
        match self.name.as_str() {
            "protocol_error_job" => Err(ErrorData::internal_error("this job fails", None)),
            "failing_job" => {
                let mut result = text("this job went wrong");
                result.is_error = Some(true);
                Ok(result)
            }
            "test_tool_with_task" => Ok(text(format!("Hello, {}! (async)", self.said))),
            _ => Ok(text(format!("done after {} s", self.seconds))),
        }
    }
}

fn request(asked: Value) -> InputRequest {
    serde_json::from_value(asked).unwrap()
}
