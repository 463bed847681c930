//! A handler whose requests are counted, whichever edge they came by.

use crate::host::metrics::Meter;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CancelTaskParams, CancelledNotificationParam, CompleteRequestParams, CompleteResult,
    CustomNotification, CustomRequest, CustomResult, DiscoverResult, ErrorCode, GetPromptRequestParams, GetPromptResponse, GetTaskParams,
    GetTaskResult, InitializeRequestParams, InitializeResult, ListPromptsResult, ListResourceTemplatesResult, ListResourcesResult,
    ListToolsResult, PaginatedRequestParams, ProgressNotificationParam, ProtocolVersion, ReadResourceRequestParams, ReadResourceResponse,
    ServerConfig, SubscribeRequestParams, SubscriptionFilter, Tool, UnsubscribeRequestParams, UpdateTaskParams,
};
use rmcp::service::{NotificationContext, RequestContext, SubscriptionContext};
use rmcp::{ErrorData, RoleServer, ServerHandler};
use std::borrow::Cow;
use std::future::Future;
use std::time::Instant;

/// A handler, counted.
#[derive(Clone)]
pub struct Counted<H> {
    handler: H,
    meter: Meter,
}

impl<H> Counted<H> {
    /// Over a handler.
    pub fn new(handler: H, meter: Meter) -> Self {
        Counted { handler, meter }
    }

    async fn count<T>(&self, method: &'static str, work: impl Future<Output = Result<T, ErrorData>>) -> Result<T, ErrorData> {
        let began = Instant::now();
        let result = work.await;
        self.meter.request(method, result.as_ref().map_or_else(trouble, |_| "ok"), Some(began.elapsed()));
        result
    }
}

fn trouble(error: &ErrorData) -> &'static str {
    match error.code {
        ErrorCode::INVALID_PARAMS => "invalid_params",
        ErrorCode::INVALID_REQUEST => "invalid_request",
        ErrorCode::METHOD_NOT_FOUND => "method_not_found",
        ErrorCode::RESOURCE_NOT_FOUND => "not_found",
        ErrorCode::INTERNAL_ERROR => "internal_error",
        _ => "error",
    }
}

/// Methods that answer what the handler answers, counted under their name.
macro_rules! counted {
    ($($name:ident $method:literal ($($argument:ident: $of:ty)?) -> $answer:ty;)*) => {
        $(async fn $name(&self, $($argument: $of,)? cx: RequestContext<RoleServer>) -> Result<$answer, ErrorData> {
            self.count($method, self.handler.$name($($argument,)? cx)).await
        })*
    };
}

#[allow(deprecated, reason = "subscribe and unsubscribe are deprecated for the newest revision; the older ones have them")]
impl<H: ServerHandler> ServerHandler for Counted<H> {
    counted! {
        ping "ping" () -> ();
        initialize "initialize" (hello: InitializeRequestParams) -> InitializeResult;
        discover "server/discover" () -> DiscoverResult;
        complete "completion/complete" (request: CompleteRequestParams) -> CompleteResult;
        set_level "logging/setLevel" (request: rmcp::model::SetLevelRequestParams) -> ();
        list_prompts "prompts/list" (page: Option<PaginatedRequestParams>) -> ListPromptsResult;
        get_prompt "prompts/get" (request: GetPromptRequestParams) -> GetPromptResponse;
        list_resources "resources/list" (page: Option<PaginatedRequestParams>) -> ListResourcesResult;
        list_resource_templates "resources/templates/list" (page: Option<PaginatedRequestParams>) -> ListResourceTemplatesResult;
        read_resource "resources/read" (request: ReadResourceRequestParams) -> ReadResourceResponse;
        subscribe "resources/subscribe" (request: SubscribeRequestParams) -> ();
        unsubscribe "resources/unsubscribe" (request: UnsubscribeRequestParams) -> ();
        list_tools "tools/list" (page: Option<PaginatedRequestParams>) -> ListToolsResult;
        get_task "other" (request: GetTaskParams) -> GetTaskResult;
        update_task "other" (request: UpdateTaskParams) -> ();
        cancel_task "other" (request: CancelTaskParams) -> ();
        on_custom_request "other" (request: CustomRequest) -> CustomResult;
    }

    async fn call_tool(&self, request: CallToolRequestParams, cx: RequestContext<RoleServer>) -> Result<CallToolResponse, ErrorData> {
        let began = Instant::now();
        let result = self.handler.call_tool(request, cx).await;
        let status = match &result {
            Ok(CallToolResponse::Complete(called)) if called.is_error == Some(true) => "tool_error",
            Ok(_) => "ok",
            Err(error) => trouble(error),
        };
        self.meter.request("tools/call", status, Some(began.elapsed()));
        result
    }

    /// Open as long as its client wishes: that is no time of answering.
    async fn listen(&self, stream: SubscriptionContext) -> Result<(), ErrorData> {
        let result = self.handler.listen(stream).await;
        self.meter.request("subscriptions/listen", result.as_ref().map_or_else(trouble, |()| "ok"), None);
        result
    }

    fn get_info(&self) -> ServerConfig {
        self.handler.get_info()
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        self.handler.get_tool(name)
    }

    fn negotiate_initialize(&self, hello: &InitializeRequestParams) -> Result<InitializeResult, ErrorData> {
        self.handler.negotiate_initialize(hello)
    }

    fn supported_protocol_versions(&self) -> Cow<'static, [ProtocolVersion]> {
        self.handler.supported_protocol_versions()
    }

    fn accepted_subscription_filter(&self, requested: &SubscriptionFilter) -> Option<SubscriptionFilter> {
        self.handler.accepted_subscription_filter(requested)
    }

    async fn on_cancelled(&self, told: CancelledNotificationParam, cx: NotificationContext<RoleServer>) {
        self.handler.on_cancelled(told, cx).await;
    }

    async fn on_progress(&self, told: ProgressNotificationParam, cx: NotificationContext<RoleServer>) {
        self.handler.on_progress(told, cx).await;
    }

    async fn on_initialized(&self, cx: NotificationContext<RoleServer>) {
        self.handler.on_initialized(cx).await;
    }

    async fn on_roots_list_changed(&self, cx: NotificationContext<RoleServer>) {
        self.handler.on_roots_list_changed(cx).await;
    }

    async fn on_custom_notification(&self, told: CustomNotification, cx: NotificationContext<RoleServer>) {
        self.handler.on_custom_notification(told, cx).await;
    }
}
