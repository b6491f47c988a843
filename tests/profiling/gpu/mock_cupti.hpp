// A libcupti.so.13 made for tests: does nothing by itself, keeps what it is told, and lets a test act as
// CUPTI. The profiler's collector flushes and asks for losses from a thread of its own; all else comes from
// one thread.
#pragma once

#include <cupti.h>

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#ifndef DMSCOPE_MOCK_CUPTI_VERSION
#define DMSCOPE_MOCK_CUPTI_VERSION CUPTI_API_VERSION
#endif

struct MockCupti {
  // What it answers.
  std::uint32_t version = DMSCOPE_MOCK_CUPTI_VERSION;
  CUptiResult subscribe_result = CUPTI_SUCCESS;
  std::string holder;
  CUptiResult enable_result = CUPTI_SUCCESS;
  CUptiResult graph_id_result = CUPTI_SUCCESS;
  bool has_clock = true;
  std::atomic<std::size_t> dropped = 0;  // told once
  decltype(&cuptiActivityGetNextRecord) next_record = nullptr;
  std::atomic<bool> runs_kernels = false;  // each scope is one call that runs one kernel, told when flushed

  // What it was told.
  bool subscribed = false;
  int subscriptions = 0;
  int timestamp_callbacks = 0;
  std::vector<CUpti_ActivityKind> enabled;
  std::vector<std::uint32_t> runtime_calls;
  std::vector<std::uint32_t> driver_calls;
  std::vector<std::uint64_t> ids;
  std::atomic<int> flushes = 0;
  std::atomic<int> forced_flushes = 0;
  std::vector<std::string> log;  // the order of what matters; read it once the collector has ended
  std::mutex log_mutex;

  // What a test does as CUPTI.
  CUpti_BuffersCallbackRequestFunc request = nullptr;
  CUpti_BuffersCallbackCompleteFunc complete = nullptr;
  CUpti_CallbackFunc callback = nullptr;
  void* user = nullptr;
  std::vector<std::uint8_t*> held;
  struct Ran {
    std::uint64_t scope = 0;
    std::uint64_t start_ns = 0;
  };
  std::vector<Ran> ran;  // whose kernels are to be told
  std::uint32_t correlation = 0;
  std::mutex ran_mutex;

  void note(const char* what) {
    const std::lock_guard lock(log_mutex);
    log.emplace_back(what);
  }

  // Takes a buffer, or null.
  std::uint8_t* take() {
    std::uint8_t* buffer = nullptr;
    std::size_t size = 0, records = 0;
    request(&buffer, &size, &records);
    if (buffer != nullptr) held.push_back(buffer);
    return buffer;
  }
};

extern "C" MockCupti* mock_cupti();
// For programs that cannot have CUPTI's headers.
extern "C" void mock_cupti_runs_kernels(bool runs);
