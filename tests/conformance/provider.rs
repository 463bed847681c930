//! The appliance, and on top of it what the suite asks for. Everything that is none of the suite's own goes to the
//! appliance's handler.

use super::{calls, catalog, inputs, tasks};
use rmcp::model::*;
use rmcp::service::{NotificationContext, RequestContext, SubscriptionContext, SubscriptionSink};
use rmcp::task_manager::TaskManager;
use rmcp::{ErrorData, RoleServer, ServerHandler};
use routeros_mcp::access::Principal;
use routeros_mcp::mcp::handler::Handler;
use routeros_mcp::mcp::provider::{Appliance, Ends, Provider};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

/// What all handlers share.
#[derive(Clone, Default)]
struct Shared {
    tasks: TaskManager,
    /// Open `subscriptions/listen`.
    sinks: Arc<Mutex<HashMap<u64, SubscriptionSink>>>,
}

/// The provider.
pub struct Fixtures {
    appliance: Appliance,
    shared: Shared,
}

impl Fixtures {
    pub fn over(appliance: Appliance) -> Self {
        Fixtures { appliance, shared: Shared::default() }
    }
}

impl Provider for Fixtures {
    type Handler = Both;

    fn handler(&self, who: Arc<Principal>, ends: Ends) -> Both {
        Both { appliance: self.appliance.handler(who, ends.clone()), shared: self.shared.clone(), ends }
    }
}

/// The appliance's handler, and the suite's before it.
pub struct Both {
    appliance: Handler,
    shared: Shared,
    ends: Ends,
}

impl Both {
    async fn tell_all(&self, of_tools: bool) -> CallToolResponse {
        let sinks: Vec<SubscriptionSink> = self.shared.sinks.lock().unwrap().values().cloned().collect();
        for sink in sinks {
            // One that has just left needs no news.
            let _ = if of_tools { sink.notify_tool_list_changed().await } else { sink.notify_prompt_list_changed().await };
        }
        calls::text("Change triggered").into()
    }
}

impl ServerHandler for Both {
    fn get_info(&self) -> ServerConfig {
        let mut info = self.appliance.get_info();
        let more = ServerCapabilities::builder().enable_logging().enable_tasks().build();
        info.capabilities.logging = more.logging;
        info.capabilities.extensions = more.extensions;
        let mut tools = ToolsCapability::default();
        tools.list_changed = Some(true);
        info.capabilities.tools = Some(tools);
        let mut prompts = PromptsCapability::default();
        prompts.list_changed = Some(true);
        info.capabilities.prompts = Some(prompts);
        info
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        catalog::tools().into_iter().find(|tool| tool.name == name).or_else(|| self.appliance.get_tool(name))
    }

    async fn list_tools(&self, page: Option<PaginatedRequestParams>, cx: RequestContext<RoleServer>) -> Result<ListToolsResult, ErrorData> {
        let mut listed = self.appliance.list_tools(page, cx).await?;
        listed.tools.extend(catalog::tools());
        Ok(listed)
    }

    async fn call_tool(&self, request: CallToolRequestParams, cx: RequestContext<RoleServer>) -> Result<CallToolResponse, ErrorData> {
        match request.name.as_ref() {
            "test_trigger_tool_change" => return Ok(self.tell_all(true).await),
            "test_trigger_prompt_change" => return Ok(self.tell_all(false).await),
            _ => {}
        }
        let client = cx.client_capabilities().unwrap_or_default();
        if let Some(answer) = inputs::call(&request, &client) {
            return answer;
        }
        if let Some(answer) = tasks::call(&self.shared.tasks, &request, &client).await {
            return answer;
        }
        match calls::call(&request, &cx).await {
            Some(answer) => answer,
            None => self.appliance.call_tool(request, cx).await,
        }
    }

    async fn get_task(&self, request: GetTaskParams, _cx: RequestContext<RoleServer>) -> Result<GetTaskResult, ErrorData> {
        Ok(GetTaskResult::new(self.shared.tasks.get_task(&request.task_id)?))
    }

    async fn update_task(&self, request: UpdateTaskParams, _cx: RequestContext<RoleServer>) -> Result<(), ErrorData> {
        self.shared.tasks.update_task(&request.task_id, request.input_responses)
    }

    async fn cancel_task(&self, request: CancelTaskParams, _cx: RequestContext<RoleServer>) -> Result<(), ErrorData> {
        self.shared.tasks.cancel_task(&request.task_id)
    }

    async fn list_resources(
        &self,
        page: Option<PaginatedRequestParams>,
        cx: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        let mut listed = self.appliance.list_resources(page, cx).await?;
        listed.resources.extend(catalog::resources());
        Ok(listed)
    }

    async fn list_resource_templates(
        &self,
        page: Option<PaginatedRequestParams>,
        cx: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        let mut listed = self.appliance.list_resource_templates(page, cx).await?;
        listed.resource_templates.extend(catalog::templates());
        Ok(listed)
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        cx: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let Some(content) = catalog::content(&request.uri) else { return self.appliance.read_resource(request, cx).await };
        let modern = cx.protocol_version().is_some_and(|version| version.as_str() >= ProtocolVersion::V_2026_07_28.as_str());
        let mut result = json!({"contents": [content]});
        if modern {
            result["resultType"] = json!("complete");
            result["ttlMs"] = json!(60_000);
            result["cacheScope"] = json!("private");
        }
        Ok(serde_json::from_value::<ReadResourceResult>(result).unwrap().into())
    }

    async fn subscribe(&self, request: SubscribeRequestParams, cx: RequestContext<RoleServer>) -> Result<(), ErrorData> {
        if catalog::content(&request.uri).is_some() { Ok(()) } else { self.appliance.subscribe(request, cx).await }
    }

    async fn unsubscribe(&self, request: UnsubscribeRequestParams, cx: RequestContext<RoleServer>) -> Result<(), ErrorData> {
        self.appliance.unsubscribe(request, cx).await
    }

    fn accepted_subscription_filter(&self, requested: &SubscriptionFilter) -> Option<SubscriptionFilter> {
        let mut filter = self.appliance.accepted_subscription_filter(requested)?;
        filter.tools_list_changed = requested.tools_list_changed;
        filter.prompts_list_changed = requested.prompts_list_changed;
        Some(filter)
    }

    async fn listen(&self, stream: SubscriptionContext) -> Result<(), ErrorData> {
        let accepted = stream.accepted();
        if accepted.tools_list_changed != Some(true) && accepted.prompts_list_changed != Some(true) {
            return self.appliance.listen(stream).await;
        }
        let id = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        self.shared.sinks.lock().unwrap().insert(id, stream.sink().clone());
        tokio::select! {
            () = stream.cancelled() => {}
            () = self.ends.over.cancelled() => {}
        }
        self.shared.sinks.lock().unwrap().remove(&id);
        Ok(())
    }

    async fn on_initialized(&self, cx: NotificationContext<RoleServer>) {
        self.appliance.on_initialized(cx).await;
    }

    async fn list_prompts(
        &self,
        page: Option<PaginatedRequestParams>,
        cx: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        let mut listed = self.appliance.list_prompts(page, cx).await?;
        listed.prompts.extend(catalog::prompts());
        Ok(listed)
    }

    async fn get_prompt(&self, request: GetPromptRequestParams, cx: RequestContext<RoleServer>) -> Result<GetPromptResponse, ErrorData> {
        if request.name == "test_input_required_result_prompt" {
            let said = inputs::Answers(request.input_responses.as_ref()).field("user_context", "context");
            return Ok(match said {
                Some(said) => prompt(json!([{"role": "user", "content": {"type": "text", "text": format!("Context: {said}")}}])).into(),
                None => {
                    let form = inputs::form("What context should the prompt use?", "context", "string");
                    inputs::asking(json!({"user_context": form}), None).into()
                }
            });
        }
        let given = |name: &str| {
            let value = request.arguments.as_ref().and_then(|given| given.get(name));
            value.and_then(|value| serde_json::to_value(value).ok()?.as_str().map(str::to_owned)).unwrap_or_default()
        };
        match catalog::messages(&request.name, given) {
            Some(messages) => Ok(prompt(messages).into()),
            None => self.appliance.get_prompt(request, cx).await,
        }
    }

    async fn complete(&self, request: CompleteRequestParams, cx: RequestContext<RoleServer>) -> Result<CompleteResult, ErrorData> {
        let of_suite = matches!(&request.r#ref, Reference::Prompt(prompt) if prompt.name.starts_with("test_"));
        if of_suite {
            let values = CompletionInfo::with_all_values(vec!["paris".into(), "park".into()]);
            return Ok(CompleteResult::new(values.unwrap()));
        }
        self.appliance.complete(request, cx).await
    }

    async fn set_level(&self, _request: SetLevelRequestParams, _cx: RequestContext<RoleServer>) -> Result<(), ErrorData> {
        Ok(())
    }

    async fn on_custom_request(&self, request: CustomRequest, cx: RequestContext<RoleServer>) -> Result<CustomResult, ErrorData> {
        self.appliance.on_custom_request(request, cx).await
    }
}

static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);

fn prompt(messages: Value) -> GetPromptResult {
    serde_json::from_value(json!({"messages": messages, "resultType": "complete"})).unwrap()
}
