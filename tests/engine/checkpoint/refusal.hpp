// What every refusal of a checkpoint must look like: bad input, one line, naming the given things.
#pragma once

#include <catch2/catch_test_macros.hpp>
#include <initializer_list>
#include <string>

#include "engine/events/result.hpp"

template <typename T>
void check_refused(const engine::Result<T>& result, std::initializer_list<std::string> named) {
  REQUIRE_FALSE(result);
  const std::string& message = result.error().message;
  INFO(message);
  CHECK(result.error().code == engine::ErrorCode::bad_input);
  CHECK(message.find('\n') == std::string::npos);
  CHECK(message.size() < 1000);
  for (const std::string& name : named) {
    INFO("expected to name: " << name);
    CHECK(message.find(name) != std::string::npos);
  }
}
