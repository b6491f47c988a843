// CUPTI as it is found at run time: the functions used, each of which may be missing, and nothing linked.
//
// Searched for beside the program, in CUDA_HOME, CUDA_PATH and /usr/local/cuda and where the loader looks:
// the first that can be used. Opened once and never closed. A library older than 13.0 Update 1 is refused (it
// crashes or hangs when recording is flushed or switched), and so is one of another major version, whose
// records look different.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "engine/events/result.hpp"
#include "profiling/gpu/cupti_api.hpp"
#include "profiling/gpu/shared_library.hpp"

namespace profiling {

struct CuptiPaths {
  std::string cupti;   // a file; empty: searched for
  std::string driver;  // empty: libcuda.so.1. Without a driver nearly every call of CUPTI fails with 999
};

class CuptiLib {
 public:
  static engine::Result<CuptiLib> open(const CuptiPaths& paths);

  std::uint32_t version() const { return version_; }
  std::string path() const { return library_.path(); }

  decltype(&cuptiGetVersion) get_version = nullptr;
  decltype(&cuptiSubscribe_v2) subscribe = nullptr;
  decltype(&cuptiUnsubscribe) unsubscribe = nullptr;
  decltype(&cuptiEnableCallback) enable_callback = nullptr;
  decltype(&cuptiGetResultString) get_result_string = nullptr;
  decltype(&cuptiGetTimestamp) get_timestamp = nullptr;
  decltype(&cuptiGetStreamIdEx) get_stream_id = nullptr;
  decltype(&cuptiGetDeviceId) get_device_id = nullptr;
  decltype(&cuptiGetGraphId) get_graph_id = nullptr;
  decltype(&cuptiGetGraphNodeId) get_graph_node_id = nullptr;
  decltype(&cuptiActivityEnable) enable = nullptr;
  decltype(&cuptiActivityEnableAndDump) enable_and_dump = nullptr;
  decltype(&cuptiActivityDisable) disable = nullptr;
  decltype(&cuptiActivityEnableRuntimeApi) enable_runtime_api = nullptr;
  decltype(&cuptiActivityEnableDriverApi) enable_driver_api = nullptr;
  decltype(&cuptiActivitySetAttribute) set_attribute = nullptr;
  decltype(&cuptiActivityRegisterTimestampCallback) register_timestamp_callback = nullptr;
  decltype(&cuptiActivityRegisterCallbacks) register_callbacks = nullptr;
  decltype(&cuptiActivityPushExternalCorrelationId) push_id = nullptr;
  decltype(&cuptiActivityPopExternalCorrelationId) pop_id = nullptr;
  decltype(&cuptiActivityFlushAll) flush_all = nullptr;
  decltype(&cuptiActivityGetNextRecord) get_next_record = nullptr;
  decltype(&cuptiActivityGetNumDroppedRecords) get_dropped = nullptr;

  std::string text_of(CUptiResult result) const;

 private:
  explicit CuptiLib(SharedLibrary library) : library_(std::move(library)) {}
  engine::Status resolve();

  SharedLibrary library_;
  std::uint32_t version_ = 0;
};

}  // namespace profiling
