// Runs the real program and keeps what it said.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace support {

struct ProgramOptions {
  std::string input = {};                            // standard input
  std::optional<std::uint64_t> max_file_bytes = {};  // RLIMIT_FSIZE: a disk that is full after so many bytes
  std::string out_file = {};                         // standard output goes there instead of into `out`
  bool out_closed = false;                           // started as with >&-
  bool out_unread = false;                           // a pipe whose reader has gone
  // Called once, when the first byte of standard output has come.
  std::function<void(pid_t)> on_first_output = {};
  // Called every few milliseconds until it returns true.
  std::function<bool(pid_t)> while_running = {};
};

struct ProgramResult {
  int status = -1;  // exit status; 128 + signal where one ended the program
  std::string out;
  std::string err;
  std::string first_error() const { return err.substr(0, err.find('\n')); }
};

// Fails the test if the program takes longer than two minutes.
ProgramResult run_program(const std::vector<std::string>& arguments, const ProgramOptions& options = {});

}  // namespace support
