// A libcupti.so.13 made for tests: does nothing by itself, keeps what it is told, and lets a test act as
// CUPTI.
#pragma once

#include <cupti.h>

#include <cstdint>
#include <string>
#include <vector>

struct MockCupti {
  // What it answers.
  std::uint32_t version = CUPTI_API_VERSION;
  CUptiResult subscribe_result = CUPTI_SUCCESS;
  std::string holder;
  CUptiResult enable_result = CUPTI_SUCCESS;
  bool has_clock = true;
  std::size_t dropped = 0;  // told once
  decltype(&cuptiActivityGetNextRecord) next_record = nullptr;

  // What it was told.
  bool subscribed = false;
  int subscriptions = 0;
  int timestamp_callbacks = 0;
  std::vector<CUpti_ActivityKind> enabled;
  std::vector<std::uint32_t> runtime_calls;
  std::vector<std::uint64_t> ids;
  int flushes = 0;
  int forced_flushes = 0;
  std::vector<std::string> log;  // the order of what matters

  // What a test does as CUPTI.
  CUpti_BuffersCallbackRequestFunc request = nullptr;
  CUpti_BuffersCallbackCompleteFunc complete = nullptr;
  CUpti_CallbackFunc callback = nullptr;
  void* user = nullptr;
  std::vector<std::uint8_t*> held;

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
