#include "profiling/gpu/cupti_session.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

namespace profiling {
namespace {

std::uint64_t steady_now_ns() {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                        std::chrono::steady_clock::now().time_since_epoch())
                                        .count());
}

std::uint64_t realtime_now_ns() {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                        std::chrono::system_clock::now().time_since_epoch())
                                        .count());
}

// Within an hour, which tells the two clocks apart: one counts from when the machine began.
bool is_about(std::uint64_t a, std::uint64_t b) {
  constexpr std::uint64_t kHourNs = 3'600'000'000'000;
  return (a > b ? a - b : b - a) < kHourNs;
}

constexpr CUpti_ActivityKind kAlways[] = {CUPTI_ACTIVITY_KIND_EXTERNAL_CORRELATION,
                                          CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL, CUPTI_ACTIVITY_KIND_MEMCPY,
                                          CUPTI_ACTIVITY_KIND_MEMSET, CUPTI_ACTIVITY_KIND_OVERHEAD};

// The calls that launch: without their records no ids are recorded. nvcc 13 turns <<<>>> into
// __cudaLaunchKernel, and libraries launch, copy and set through the driver.
constexpr CUpti_CallbackId kRuntimeCalls[] = {CUPTI_RUNTIME_TRACE_CBID_cudaLaunchKernel_v7000,
                                              CUPTI_RUNTIME_TRACE_CBID_cudaLaunchKernel_ptsz_v7000,
                                              CUPTI_RUNTIME_TRACE_CBID_cudaLaunchKernelExC_v11060,
                                              CUPTI_RUNTIME_TRACE_CBID_cudaLaunchKernelExC_ptsz_v11060,
                                              CUPTI_RUNTIME_TRACE_CBID_cudaLaunchCooperativeKernel_v9000,
                                              CUPTI_RUNTIME_TRACE_CBID_cudaLaunchCooperativeKernel_ptsz_v9000,
                                              CUPTI_RUNTIME_TRACE_CBID___cudaLaunchKernel_v13000,
                                              CUPTI_RUNTIME_TRACE_CBID___cudaLaunchKernel_ptsz_v13000,
                                              CUPTI_RUNTIME_TRACE_CBID_cudaGraphLaunch_v10000,
                                              CUPTI_RUNTIME_TRACE_CBID_cudaGraphLaunch_ptsz_v10000,
                                              CUPTI_RUNTIME_TRACE_CBID_cudaMemcpy_v3020,
                                              CUPTI_RUNTIME_TRACE_CBID_cudaMemcpyAsync_v3020,
                                              CUPTI_RUNTIME_TRACE_CBID_cudaMemcpyAsync_ptsz_v7000,
                                              CUPTI_RUNTIME_TRACE_CBID_cudaMemcpy2DAsync_v3020,
                                              CUPTI_RUNTIME_TRACE_CBID_cudaMemcpy2DAsync_ptsz_v7000,
                                              CUPTI_RUNTIME_TRACE_CBID_cudaMemset_v3020,
                                              CUPTI_RUNTIME_TRACE_CBID_cudaMemsetAsync_v3020,
                                              CUPTI_RUNTIME_TRACE_CBID_cudaMemsetAsync_ptsz_v7000};
constexpr CUpti_CallbackId kDriverCalls[] = {
    CUPTI_DRIVER_TRACE_CBID_cuLaunchKernel,       CUPTI_DRIVER_TRACE_CBID_cuLaunchKernel_ptsz,
    CUPTI_DRIVER_TRACE_CBID_cuLaunchKernelEx,     CUPTI_DRIVER_TRACE_CBID_cuLaunchKernelEx_ptsz,
    CUPTI_DRIVER_TRACE_CBID_cuGraphLaunch,        CUPTI_DRIVER_TRACE_CBID_cuGraphLaunch_ptsz,
    CUPTI_DRIVER_TRACE_CBID_cuMemcpyHtoDAsync_v2, CUPTI_DRIVER_TRACE_CBID_cuMemcpyHtoDAsync_v2_ptsz,
    CUPTI_DRIVER_TRACE_CBID_cuMemcpyDtoHAsync_v2, CUPTI_DRIVER_TRACE_CBID_cuMemcpyDtoHAsync_v2_ptsz,
    CUPTI_DRIVER_TRACE_CBID_cuMemcpyAsync,        CUPTI_DRIVER_TRACE_CBID_cuMemcpyAsync_ptsz,
    CUPTI_DRIVER_TRACE_CBID_cuMemsetD8Async,      CUPTI_DRIVER_TRACE_CBID_cuMemsetD8Async_ptsz};

constexpr CUpti_CallbackId kResources[] = {CUPTI_CBID_RESOURCE_GRAPHNODE_CREATED,
                                           CUPTI_CBID_RESOURCE_GRAPHNODE_CLONED};

GraphNodeMap::NodeType node_type(CUgraphNodeType type) {
  switch (type) {
    case CU_GRAPH_NODE_TYPE_KERNEL:
      return GraphNodeMap::NodeType::kernel;
    case CU_GRAPH_NODE_TYPE_MEMCPY:
    case CU_GRAPH_NODE_TYPE_MEMSET:
      return GraphNodeMap::NodeType::copy_or_set;
    default:
      return GraphNodeMap::NodeType::other;
  }
}

// CUPTI gives its buffer callbacks nothing of ours to hold on to.
std::atomic<CuptiSession*> current_session{nullptr};

}  // namespace

struct CuptiCallbacks {
  static void CUPTIAPI request(std::uint8_t** buffer, std::size_t* size, std::size_t* max_records) {
    CuptiSession* const session = current_session.load();
    *buffer = session != nullptr ? session->pool_.take() : nullptr;
    *size = *buffer != nullptr ? kBufferBytes : 0;
    *max_records = 0;
  }

  static void CUPTIAPI complete(CUcontext, std::uint32_t, std::uint8_t* buffer, std::size_t,
                                std::size_t valid) {
    CuptiSession* const session = current_session.load();
    if (session != nullptr && buffer != nullptr) session->pool_.complete(buffer, valid);
  }

  static void CUPTIAPI resource(void* session, CUpti_CallbackDomain domain, CUpti_CallbackId id,
                                const void* data) {
    if (domain != CUPTI_CB_DOMAIN_RESOURCE || data == nullptr) return;
    static_cast<CuptiSession*>(session)->note_resource(id, *static_cast<const CUpti_ResourceData*>(data));
  }

  static std::uint64_t CUPTIAPI timestamp() { return steady_now_ns(); }
};

// --- beginning and end

engine::Result<std::unique_ptr<CuptiSession>> CuptiSession::start(const CuptiPaths& paths) {
  auto lib = CuptiLib::open(paths);
  if (!lib) return lib.error();
  std::unique_ptr<CuptiSession> session(new CuptiSession(std::move(*lib)));
  if (auto status = session->subscribe(); !status) return status.error();
  if (auto status = session->prepare(); !status) return status.error();
  return session;
}

CuptiSession::CuptiSession(CuptiLib lib)
    : lib_(std::move(lib)), reader_(lib_.get_next_record, lib_.version() == CUPTI_API_VERSION) {}

CuptiSession::~CuptiSession() {
  end();
  CuptiSession* self = this;
  current_session.compare_exchange_strong(self, nullptr);
}

engine::Status CuptiSession::subscribe() {
  std::array<char, CUPTI_OLD_SUBSCRIBER_NAME_MIN_LEN> holder{};
  CUpti_SubscriberParams params{};
  params.structSize = CUpti_SubscriberParams_STRUCT_SIZE;
  params.subscriberName = "DMScope";
  params.oldSubscriberName = holder.data();
  params.oldSubscriberSize = holder.size();
  const CUptiResult result = lib_.subscribe(&subscriber_, &CuptiCallbacks::resource, this, &params);
  if (result == CUPTI_SUCCESS) return {};
  subscriber_ = nullptr;
  if (result == CUPTI_ERROR_MULTIPLE_SUBSCRIBERS_NOT_SUPPORTED) {
    holder.back() = '\0';
    return engine::failed("CUPTI is held by {}", holder[0] != '\0' ? holder.data() : "another tool");
  }
  return engine::failed("CUPTI cannot be used: {}", lib_.text_of(result));
}

engine::Status CuptiSession::prepare() {
  if (lib_.set_attribute != nullptr) {
    std::uint8_t zeroed = 1;
    std::size_t size = sizeof zeroed;
    lib_.set_attribute(CUPTI_ACTIVITY_ATTR_ZEROED_OUT_ACTIVITY_BUFFER, &size, &zeroed);
  }
  // Once, and before anything is recorded: time stamps of what was recorded before would be wrong.
  own_clock_ = lib_.register_timestamp_callback != nullptr &&
               lib_.register_timestamp_callback(&CuptiCallbacks::timestamp) == CUPTI_SUCCESS;
  current_session = this;
  CUptiResult result = lib_.register_callbacks(&CuptiCallbacks::request, &CuptiCallbacks::complete);
  for (const CUpti_CallbackId id : kResources) {
    if (result == CUPTI_SUCCESS) result = lib_.enable_callback(1, subscriber_, CUPTI_CB_DOMAIN_RESOURCE, id);
  }
  if (result == CUPTI_SUCCESS) return {};
  return engine::failed("CUPTI cannot be used: {}", lib_.text_of(result));
}

void CuptiSession::end() {
  if (subscriber_ == nullptr) return;
  flush(false);
  flush(true);
  const auto ignored = set_mode(ProfileMode::off);
  static_cast<void>(ignored);
  lib_.unsubscribe(std::exchange(subscriber_, nullptr));
}

// --- what is recorded

engine::Status CuptiSession::switch_kind(CUpti_ActivityKind kind, bool on) {
  const auto found = std::find(enabled_.begin(), enabled_.end(), kind);
  if ((found != enabled_.end()) == on) return {};
  if (!on) {
    lib_.disable(kind);
    enabled_.erase(found);
    return {};
  }
  if (const CUptiResult result = lib_.enable(kind); result != CUPTI_SUCCESS) {
    return engine::failed("CUPTI does not record what profiling needs (kind {}): {}", static_cast<int>(kind),
                          lib_.text_of(result));
  }
  enabled_.push_back(kind);
  return {};
}

void CuptiSession::switch_calls(bool on) {
  const auto enable = static_cast<std::uint8_t>(on ? 1 : 0);
  // A call that this library does not know is one that no program here makes.
  for (const CUpti_CallbackId id : kRuntimeCalls) lib_.enable_runtime_api(id, enable);
  for (const CUpti_CallbackId id : kDriverCalls) lib_.enable_driver_api(id, enable);
}

engine::Status CuptiSession::set_mode(ProfileMode mode) {
  const bool any = mode != ProfileMode::off;
  if (!any && enabled_.empty()) return {};
  if (!enabled_.empty()) flush(false);
  engine::Status status;
  // While graphs are recorded as a whole, their kernels are not.
  if (auto step = switch_kind(CUPTI_ACTIVITY_KIND_GRAPH_TRACE, mode == ProfileMode::light); !step)
    status = step;
  for (const CUpti_ActivityKind kind : kAlways) {
    if (!status) break;
    status = switch_kind(kind, any);
  }
  switch_calls(any && static_cast<bool>(status));
  if (status) return {};
  for (const CUpti_ActivityKind kind : std::vector(enabled_)) {
    const auto ignored = switch_kind(kind, false);
    static_cast<void>(ignored);
  }
  return status;
}

// --- launches

void CuptiSession::push(std::uint64_t id) {
  lib_.push_id(CUPTI_EXTERNAL_CORRELATION_KIND_CUSTOM0, id);
}

void CuptiSession::pop() {
  std::uint64_t last = 0;
  lib_.pop_id(CUPTI_EXTERNAL_CORRELATION_KIND_CUSTOM0, &last);
}

std::optional<StreamNumber> CuptiSession::stream_number(void* stream) {
  if (lib_.get_stream_id == nullptr) return std::nullopt;
  std::uint32_t number = 0;
  if (lib_.get_stream_id(nullptr, static_cast<CUstream>(stream), 0, &number) != CUPTI_SUCCESS) {
    return std::nullopt;
  }
  std::uint32_t device = 0;
  if (lib_.get_device_id != nullptr) lib_.get_device_id(nullptr, &device);
  return StreamNumber{static_cast<std::int16_t>(device), static_cast<std::int32_t>(number)};
}

// Instantiating a graph tells of each node twice, as created and as cloned; created, no scope is open then,
// and the map keeps what the clone inherits.
void CuptiSession::note_resource(CUpti_CallbackId id, const CUpti_ResourceData& resource) {
  const auto* const data = static_cast<const CUpti_GraphData*>(resource.resourceDescriptor);
  if (data == nullptr || lib_.get_graph_node_id == nullptr) return;
  std::uint64_t node = 0;
  std::uint32_t graph = 0;
  if (lib_.get_graph_node_id(data->node, &node) != CUPTI_SUCCESS || lib_.get_graph_id == nullptr ||
      lib_.get_graph_id(data->graph, &graph) != CUPTI_SUCCESS) {
    const std::lock_guard lock(mutex_);
    ++counts_.unknown_nodes;
    return;
  }
  if (id == CUPTI_CBID_RESOURCE_GRAPHNODE_CREATED)
    return nodes_.created(graph, node, node_type(data->nodeType));
  std::uint64_t original = 0;
  if (lib_.get_graph_node_id(data->originalNode, &original) == CUPTI_SUCCESS) {
    nodes_.cloned(original, graph, node);
  }
}

// --- records

void CuptiSession::flush(bool forced) {
  lib_.flush_all(forced ? CUPTI_ACTIVITY_FLAG_FLUSH_FORCED : 0);
  if (lib_.get_dropped == nullptr) return;
  std::size_t dropped = 0;
  if (lib_.get_dropped(nullptr, 0, &dropped) != CUPTI_SUCCESS) return;
  const std::lock_guard lock(mutex_);
  counts_.dropped += static_cast<std::int64_t>(dropped);
}

bool CuptiSession::read(std::vector<Activity>& out) {
  out.clear();
  FilledBuffer filled = pool_.next();
  if (!filled.bytes) return false;
  std::vector<FoundDevice> devices;
  SourceCounts lost;
  reader_.read(filled.bytes.get(), filled.valid, out, devices, lost);
  pool_.give_back(std::move(filled.bytes));
  to_steady_clock(out);
  const std::lock_guard lock(mutex_);
  counts_.cut_buffers += lost.cut_buffers;
  counts_.unknown_records += lost.unknown_records;
  counts_.node_records += lost.node_records;
  for (FoundDevice& device : devices) {
    const auto same = [&](const FoundDevice& known) { return known.index == device.index; };
    if (std::none_of(devices_.begin(), devices_.end(), same)) devices_.push_back(std::move(device));
  }
  return true;
}

// Where the clock was set when a context was there already, as by somebody else's use of CUDA, libraries
// before 13.3 Update 3 give device records in the system's real time all the same.
void CuptiSession::to_steady_clock(std::vector<Activity>& activities) {
  if (!own_clock_) {
    clock_.follow(steady_now_ns, [this] {
      std::uint64_t theirs = 0;
      lib_.get_timestamp(&theirs);
      return theirs;
    });
  } else {
    realtime_.follow(steady_now_ns, realtime_now_ns);
  }
  const std::uint64_t steady = steady_now_ns(), realtime = realtime_now_ns();
  for (Activity& activity : activities) {
    const bool in_realtime =
        own_clock_ && !is_about(activity.start_ns, steady) && is_about(activity.start_ns, realtime);
    if (own_clock_ && !in_realtime) continue;
    const ClockMap& clock = own_clock_ ? realtime_ : clock_;
    activity.start_ns = clock.steady(activity.start_ns);
    activity.end_ns = clock.steady(activity.end_ns);
  }
}

SourceCounts CuptiSession::counts() {
  const std::lock_guard lock(mutex_);
  SourceCounts counts = counts_;
  counts.refused_buffers = pool_.refused();
  return counts;
}

void CuptiSession::find_devices() {
  if (!devices().empty() || lib_.enable_and_dump == nullptr) return;
  lib_.enable_and_dump(CUPTI_ACTIVITY_KIND_DEVICE);
  lib_.disable(CUPTI_ACTIVITY_KIND_DEVICE);
}

std::vector<FoundDevice> CuptiSession::devices() {
  const std::lock_guard lock(mutex_);
  return devices_;
}

}  // namespace profiling
