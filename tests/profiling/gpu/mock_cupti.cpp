#include "tests/profiling/gpu/mock_cupti.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>

#include "tests/profiling/gpu/cupti_records.hpp"

namespace {
MockCupti& mock() {
  static MockCupti instance;
  return instance;
}

std::uint64_t now_ns() {
  return static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
}

// The records of what ran.
void tell_what_ran() {
  const std::lock_guard lock(mock().ran_mutex);
  constexpr std::size_t kAtOnce = 512;
  while (!mock().ran.empty()) {
    std::uint8_t* buffer = nullptr;
    std::size_t size = 0, records = 0;
    mock().request(&buffer, &size, &records);
    if (buffer == nullptr) return;
    profiling_test::RecordBytes bytes;
    const std::size_t count = std::min(kAtOnce, mock().ran.size());
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint32_t id = ++mock().correlation;
      bytes.add(profiling_test::scope_record(id, mock().ran[i].scope));
      bytes.add(profiling_test::kernel_record(id, "mock_kernel", mock().ran[i].start_ns,
                                              mock().ran[i].start_ns + 1));
    }
    mock().ran.erase(mock().ran.begin(), mock().ran.begin() + static_cast<std::ptrdiff_t>(count));
    bytes.copy_to(buffer);
    mock().complete(nullptr, 0, buffer, size, bytes.size());
  }
}

// Of the records that tell_what_ran() makes.
CUptiResult next_that_ran(std::uint8_t* buffer, std::size_t valid, CUpti_Activity** record) {
  std::uint8_t* next = buffer;
  if (*record != nullptr) {
    const bool scope = (*record)->kind == CUPTI_ACTIVITY_KIND_EXTERNAL_CORRELATION;
    next = reinterpret_cast<std::uint8_t*>(*record) +
           (scope ? sizeof(CUpti_ActivityExternalCorrelation) : sizeof(CUpti_ActivityKernel10));
  }
  if (next >= buffer + valid) return CUPTI_ERROR_MAX_LIMIT_REACHED;
  *record = reinterpret_cast<CUpti_Activity*>(next);
  return CUPTI_SUCCESS;
}
}  // namespace

extern "C" {

void mock_cupti_runs_kernels(bool runs) {
  mock().runs_kernels = runs;
}

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
  return mock().graph_id_result;
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
CUptiResult cuptiActivityEnableDriverApi(CUpti_CallbackId id, std::uint8_t enable) {
  if (enable != 0) {
    mock().driver_calls.push_back(id);
  } else {
    std::erase(mock().driver_calls, id);
  }
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
  if (mock().runs_kernels) {
    const std::lock_guard lock(mock().ran_mutex);
    mock().ran.push_back({*last, now_ns()});
  }
  return CUPTI_SUCCESS;
}
CUptiResult cuptiActivityFlushAll(std::uint32_t flag) {
  ++(flag == 0 ? mock().flushes : mock().forced_flushes);
  mock().note(flag == 0 ? "flush" : "force");
  tell_what_ran();
  return CUPTI_SUCCESS;
}
CUptiResult cuptiActivityGetNextRecord(std::uint8_t* buffer, std::size_t valid, CUpti_Activity** record) {
  return mock().next_record != nullptr ? mock().next_record(buffer, valid, record)
                                       : next_that_ran(buffer, valid, record);
}
CUptiResult cuptiActivityGetNumDroppedRecords(CUcontext, std::uint32_t, std::size_t* dropped) {
  *dropped = mock().dropped.exchange(0);
  return CUPTI_SUCCESS;
}
}
