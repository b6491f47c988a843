#include "tests/profiling/gpu/mock_cupti.hpp"

#include <algorithm>
#include <cstring>

namespace {
MockCupti& mock() {
  static MockCupti instance;
  return instance;
}
}  // namespace

extern "C" {

MockCupti* mock_cupti() {
  return &mock();
}

CUptiResult cuptiGetVersion(std::uint32_t* version) {
  *version = mock().version;
  return CUPTI_SUCCESS;
}
CUptiResult cuptiGetResultString(CUptiResult result, const char** text) {
  *text = result == CUPTI_ERROR_UNKNOWN ? "CUPTI_ERROR_UNKNOWN" : "MOCK_ERROR";
  return CUPTI_SUCCESS;
}
CUptiResult cuptiSubscribe_v2(CUpti_SubscriberHandle* subscriber, CUpti_CallbackFunc callback, void* user,
                              CUpti_SubscriberParams* params) {
  if (mock().subscribe_result != CUPTI_SUCCESS) {
    std::strncpy(params->oldSubscriberName, mock().holder.c_str(), params->oldSubscriberSize);
    return mock().subscribe_result;
  }
  *subscriber = reinterpret_cast<CUpti_SubscriberHandle>(&mock());
  mock().callback = callback;
  mock().user = user;
  mock().subscribed = true;
  ++mock().subscriptions;
  mock().note("subscribe");
  return CUPTI_SUCCESS;
}
CUptiResult cuptiUnsubscribe(CUpti_SubscriberHandle) {
  mock().subscribed = false;
  mock().note("unsubscribe");
  return CUPTI_SUCCESS;
}
CUptiResult cuptiEnableCallback(std::uint32_t, CUpti_SubscriberHandle, CUpti_CallbackDomain,
                                CUpti_CallbackId) {
  return CUPTI_SUCCESS;
}
CUptiResult cuptiGetTimestamp(std::uint64_t* timestamp) {
  *timestamp = 1;
  return CUPTI_SUCCESS;
}
CUptiResult cuptiGetStreamIdEx(CUcontext, CUstream, std::uint8_t, std::uint32_t* id) {
  *id = 13;
  return CUPTI_SUCCESS;
}
CUptiResult cuptiGetDeviceId(CUcontext, std::uint32_t* id) {
  *id = 2;
  return CUPTI_SUCCESS;
}
// A node or a graph is a pointer to its number.
CUptiResult cuptiGetGraphNodeId(CUgraphNode node, std::uint64_t* id) {
  *id = *reinterpret_cast<const std::uint64_t*>(node);
  return CUPTI_SUCCESS;
}
CUptiResult cuptiGetGraphId(CUgraph graph, std::uint32_t* id) {
  *id = static_cast<std::uint32_t>(*reinterpret_cast<const std::uint64_t*>(graph));
  return CUPTI_SUCCESS;
}
CUptiResult cuptiActivityEnable(CUpti_ActivityKind kind) {
  if (mock().enable_result != CUPTI_SUCCESS) return mock().enable_result;
  mock().enabled.push_back(kind);
  mock().note("enable");
  return CUPTI_SUCCESS;
}
CUptiResult cuptiActivityEnableAndDump(CUpti_ActivityKind) {
  return CUPTI_SUCCESS;
}
CUptiResult cuptiActivityDisable(CUpti_ActivityKind kind) {
  std::erase(mock().enabled, kind);
  return CUPTI_SUCCESS;
}
CUptiResult cuptiActivityEnableRuntimeApi(CUpti_CallbackId id, std::uint8_t enable) {
  if (enable != 0) {
    mock().runtime_calls.push_back(id);
  } else {
    std::erase(mock().runtime_calls, id);
  }
  return CUPTI_SUCCESS;
}
CUptiResult cuptiActivityEnableDriverApi(CUpti_CallbackId, std::uint8_t) {
  return CUPTI_SUCCESS;
}
CUptiResult cuptiActivitySetAttribute(CUpti_ActivityAttribute, std::size_t*, void*) {
  return CUPTI_SUCCESS;
}
CUptiResult cuptiActivityRegisterTimestampCallback(CUpti_TimestampCallbackFunc) {
  if (!mock().has_clock) return CUPTI_ERROR_NOT_SUPPORTED;
  ++mock().timestamp_callbacks;
  mock().note("clock");
  return CUPTI_SUCCESS;
}
CUptiResult cuptiActivityRegisterCallbacks(CUpti_BuffersCallbackRequestFunc request,
                                           CUpti_BuffersCallbackCompleteFunc complete) {
  mock().request = request;
  mock().complete = complete;
  mock().note("buffers");
  return CUPTI_SUCCESS;
}
CUptiResult cuptiActivityPushExternalCorrelationId(CUpti_ExternalCorrelationKind, std::uint64_t id) {
  mock().ids.push_back(id);
  return CUPTI_SUCCESS;
}
CUptiResult cuptiActivityPopExternalCorrelationId(CUpti_ExternalCorrelationKind, std::uint64_t* last) {
  *last = mock().ids.back();
  mock().ids.pop_back();
  return CUPTI_SUCCESS;
}
CUptiResult cuptiActivityFlushAll(std::uint32_t flag) {
  ++(flag == 0 ? mock().flushes : mock().forced_flushes);
  mock().note(flag == 0 ? "flush" : "force");
  return CUPTI_SUCCESS;
}
CUptiResult cuptiActivityGetNextRecord(std::uint8_t* buffer, std::size_t valid, CUpti_Activity** record) {
  return mock().next_record(buffer, valid, record);
}
CUptiResult cuptiActivityGetNumDroppedRecords(CUcontext, std::uint32_t, std::size_t* dropped) {
  *dropped = mock().dropped.exchange(0);
  return CUPTI_SUCCESS;
}
}
