#include "profiling/gpu/record_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string>

namespace profiling {
namespace {

const char* name_of_copy(std::uint8_t kind) {
  switch (kind) {
    case CUPTI_ACTIVITY_MEMCPY_KIND_HTOD:
      return "copy host to device";
    case CUPTI_ACTIVITY_MEMCPY_KIND_DTOH:
      return "copy device to host";
    case CUPTI_ACTIVITY_MEMCPY_KIND_DTOD:
      return "copy on device";
    case CUPTI_ACTIVITY_MEMCPY_KIND_HTOH:
      return "copy on host";
    case CUPTI_ACTIVITY_MEMCPY_KIND_PTOP:
      return "copy between devices";
    default:
      return "copy";
  }
}

const char* name_of_overhead(CUpti_ActivityOverheadKind kind) {
  switch (kind) {
    case CUPTI_ACTIVITY_OVERHEAD_DRIVER_COMPILER:
      return "driver: compile kernels";
    case CUPTI_ACTIVITY_OVERHEAD_CUPTI_BUFFER_FLUSH:
      return "CUPTI: flush buffers";
    case CUPTI_ACTIVITY_OVERHEAD_CUPTI_INSTRUMENTATION:
      return "CUPTI: instrument";
    case CUPTI_ACTIVITY_OVERHEAD_CUPTI_RESOURCE:
      return "CUPTI: allocate";
    case CUPTI_ACTIVITY_OVERHEAD_RUNTIME_TRIGGERED_MODULE_LOADING:
      return "driver: load modules";
    case CUPTI_ACTIVITY_OVERHEAD_LAZY_FUNCTION_LOADING:
      return "driver: load functions";
    case CUPTI_ACTIVITY_OVERHEAD_COMMAND_BUFFER_FULL:
      return "driver: command buffer full";
    case CUPTI_ACTIVITY_OVERHEAD_ACTIVITY_BUFFER_REQUEST:
      return "CUPTI: wait for a buffer";
    default:
      return "other overhead";
  }
}

bool launches_graph(CUpti_ActivityKind kind, CUpti_CallbackId id) {
  if (kind == CUPTI_ACTIVITY_KIND_DRIVER) {
    return id == CUPTI_DRIVER_TRACE_CBID_cuGraphLaunch || id == CUPTI_DRIVER_TRACE_CBID_cuGraphLaunch_ptsz;
  }
  return id == CUPTI_RUNTIME_TRACE_CBID_cudaGraphLaunch_v10000 ||
         id == CUPTI_RUNTIME_TRACE_CBID_cudaGraphLaunch_ptsz_v10000;
}

const char* name_of_call(CUpti_ActivityKind kind, CUpti_CallbackId id) {
  if (launches_graph(kind, id)) return "launch graph";
  if (kind == CUPTI_ACTIVITY_KIND_DRIVER) {
    switch (id) {
      case CUPTI_DRIVER_TRACE_CBID_cuLaunchKernel:
      case CUPTI_DRIVER_TRACE_CBID_cuLaunchKernel_ptsz:
      case CUPTI_DRIVER_TRACE_CBID_cuLaunchKernelEx:
      case CUPTI_DRIVER_TRACE_CBID_cuLaunchKernelEx_ptsz:
        return "launch kernel";
      default:
        return "launch copy or set";
    }
  }
  switch (id) {
    case CUPTI_RUNTIME_TRACE_CBID_cudaLaunchKernel_v7000:
    case CUPTI_RUNTIME_TRACE_CBID_cudaLaunchKernel_ptsz_v7000:
    case CUPTI_RUNTIME_TRACE_CBID_cudaLaunchCooperativeKernel_v9000:
    case CUPTI_RUNTIME_TRACE_CBID_cudaLaunchCooperativeKernel_ptsz_v9000:
    case CUPTI_RUNTIME_TRACE_CBID_cudaLaunchKernelExC_v11060:
    case CUPTI_RUNTIME_TRACE_CBID_cudaLaunchKernelExC_ptsz_v11060:
    case CUPTI_RUNTIME_TRACE_CBID___cudaLaunchKernel_v13000:
    case CUPTI_RUNTIME_TRACE_CBID___cudaLaunchKernel_ptsz_v13000:
      return "launch kernel";
    default:
      return "launch copy or set";
  }
}

// Fields that kernels, copies and sets share.
template <typename Record>
Activity on_device(ActivityKind kind, const Record& record) {
  Activity activity;
  activity.kind = kind;
  activity.start_ns = record.start;
  activity.end_ns = record.end;
  activity.correlation = record.correlationId;
  activity.device = record.deviceId;
  activity.stream = record.streamId;
  activity.graph = record.graphId;
  activity.node = record.graphNodeId;
  return activity;
}

Activity copy_of(const CUpti_ActivityMemcpy6& record) {
  Activity activity = on_device(ActivityKind::copy, record);
  activity.value = record.bytes;
  activity.name = name_of_copy(record.copyKind);
  return activity;
}

Activity set_of(const CUpti_ActivityMemset4& record) {
  Activity activity = on_device(ActivityKind::set, record);
  activity.value = record.bytes;
  return activity;
}

Activity kernel_of(const CUpti_ActivityKernel10& record) {
  Activity activity = on_device(ActivityKind::kernel, record);
  activity.name = record.name;
  return activity;
}

Activity graph_of(const CUpti_ActivityGraphTrace2& record) {
  Activity activity;
  activity.kind = ActivityKind::graph;
  activity.start_ns = record.start;
  activity.end_ns = record.end;
  activity.correlation = record.correlationId;
  activity.device = record.deviceId;
  activity.stream = record.streamId;
  activity.graph = record.graphId;
  return activity;
}

Activity launch_of(const CUpti_ActivityAPI& record) {
  Activity activity;
  activity.kind = ActivityKind::launch;
  activity.start_ns = record.start;
  activity.end_ns = record.end;
  activity.correlation = record.correlationId;
  activity.name = name_of_call(record.kind, record.cbid);
  activity.value = launches_graph(record.kind, record.cbid) ? 1 : 0;
  return activity;
}

Activity scope_of_call(const CUpti_ActivityExternalCorrelation& record) {
  Activity activity;
  activity.kind = ActivityKind::scope;
  activity.correlation = record.correlationId;
  activity.value = record.externalId;
  return activity;
}

Activity overhead_of(const CUpti_ActivityOverhead3& record) {
  std::free(record.overheadData);  // the reader of the record owns it
  Activity activity;
  activity.kind = ActivityKind::overhead;
  activity.start_ns = record.start;
  activity.end_ns = record.end;
  activity.name = name_of_overhead(record.overheadKind);
  return activity;
}

FoundDevice device_of(const CUpti_ActivityDevice5& record) {
  FoundDevice device{static_cast<std::int16_t>(record.id), record.name != nullptr ? record.name : "", "GPU-"};
  for (int byte = 0; byte < 16; ++byte) {
    if (byte == 4 || byte == 6 || byte == 8 || byte == 10) device.uuid += '-';
    device.uuid += fmt::format("{:02x}", static_cast<unsigned char>(record.uuid.bytes[byte]));
  }
  return device;
}

template <typename Record>
const Record& as(const CUpti_Activity* record) {
  return *reinterpret_cast<const Record*>(record);
}

// 0: not known, the walk cannot go on.
std::size_t size_of(CUpti_ActivityKind kind) {
  switch (kind) {
    case CUPTI_ACTIVITY_KIND_KERNEL:
    case CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL:
      return sizeof(CUpti_ActivityKernel10);
    case CUPTI_ACTIVITY_KIND_MEMCPY:
      return sizeof(CUpti_ActivityMemcpy6);
    case CUPTI_ACTIVITY_KIND_MEMSET:
      return sizeof(CUpti_ActivityMemset4);
    case CUPTI_ACTIVITY_KIND_RUNTIME:
    case CUPTI_ACTIVITY_KIND_DRIVER:
      return sizeof(CUpti_ActivityAPI);
    case CUPTI_ACTIVITY_KIND_EXTERNAL_CORRELATION:
      return sizeof(CUpti_ActivityExternalCorrelation);
    case CUPTI_ACTIVITY_KIND_GRAPH_TRACE:
      return sizeof(CUpti_ActivityGraphTrace2);
    case CUPTI_ACTIVITY_KIND_OVERHEAD:
      return sizeof(CUpti_ActivityOverhead3);
    case CUPTI_ACTIVITY_KIND_DEVICE:
      return sizeof(CUpti_ActivityDevice5);
    default:
      return 0;
  }
}

// Buffers are zeroed before they are lent, and no record is of kind 0.
bool begins_record(const std::uint8_t* buffer, std::size_t at, std::size_t valid) {
  std::uint32_t kind = 0;
  if (at < valid) std::memcpy(&kind, buffer + at, std::min(sizeof kind, valid - at));
  return kind != 0;
}

}  // namespace

CUptiResult CUPTIAPI next_record_by_size(std::uint8_t* buffer, std::size_t valid, CUpti_Activity** record) {
  std::size_t at = 0;
  if (*record != nullptr) {
    at = static_cast<std::size_t>(reinterpret_cast<std::uint8_t*>(*record) - buffer) +
         size_of((*record)->kind);
  }
  if (valid < at + sizeof(CUpti_ActivityKind)) return CUPTI_ERROR_MAX_LIMIT_REACHED;
  auto* const next = reinterpret_cast<CUpti_Activity*>(buffer + at);
  const std::size_t size = size_of(next->kind);
  if (size == 0) return CUPTI_ERROR_INVALID_KIND;
  if (valid < at + size) return CUPTI_ERROR_MAX_LIMIT_REACHED;
  *record = next;
  return CUPTI_SUCCESS;
}

RecordReader::RecordReader(NextRecord next, bool sizes_known)
    : next_(next != nullptr ? next : &next_record_by_size), sizes_known_(next == nullptr || sizes_known) {}

void RecordReader::read(std::uint8_t* buffer, std::size_t valid, std::vector<Activity>& out,
                        std::vector<FoundDevice>& devices, SourceCounts& counts) const {
  CUpti_Activity* record = nullptr;
  std::size_t end = 0;  // of the last record whose size is known
  const std::size_t before = out.size();
  CUptiResult result = CUPTI_SUCCESS;
  while ((result = next_(buffer, valid, &record)) == CUPTI_SUCCESS) {
    end = static_cast<std::size_t>(reinterpret_cast<std::uint8_t*>(record) - buffer) + size_of(record->kind);
    switch (record->kind) {
      case CUPTI_ACTIVITY_KIND_KERNEL:
      case CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL:
        out.push_back(kernel_of(as<CUpti_ActivityKernel10>(record)));
        break;
      case CUPTI_ACTIVITY_KIND_MEMCPY:
        out.push_back(copy_of(as<CUpti_ActivityMemcpy6>(record)));
        break;
      case CUPTI_ACTIVITY_KIND_MEMSET:
        out.push_back(set_of(as<CUpti_ActivityMemset4>(record)));
        break;
      case CUPTI_ACTIVITY_KIND_RUNTIME:
      case CUPTI_ACTIVITY_KIND_DRIVER:
        out.push_back(launch_of(as<CUpti_ActivityAPI>(record)));
        break;
      case CUPTI_ACTIVITY_KIND_EXTERNAL_CORRELATION:
        out.push_back(scope_of_call(as<CUpti_ActivityExternalCorrelation>(record)));
        break;
      case CUPTI_ACTIVITY_KIND_GRAPH_TRACE:
        out.push_back(graph_of(as<CUpti_ActivityGraphTrace2>(record)));
        break;
      case CUPTI_ACTIVITY_KIND_OVERHEAD:
        out.push_back(overhead_of(as<CUpti_ActivityOverhead3>(record)));
        break;
      case CUPTI_ACTIVITY_KIND_DEVICE:
        devices.push_back(device_of(as<CUpti_ActivityDevice5>(record)));
        break;
      default:
        ++counts.unknown_records;
        end = valid;  // its size is the library's secret
        continue;
    }
  }
  counts.node_records += std::count_if(out.begin() + static_cast<std::ptrdiff_t>(before), out.end(),
                                       [](const Activity& activity) { return activity.node != 0; });
  if (result != CUPTI_ERROR_MAX_LIMIT_REACHED || (sizes_known_ && begins_record(buffer, end, valid))) {
    ++counts.cut_buffers;
  }
}

}  // namespace profiling
