// The two output streams of a command.
//
// Standard output is checked: a closed pipe or a full disk becomes an Error instead of lost text. Standard
// error begins with the error, so whatever else there is to say on it waits for later(). One thread.
#pragma once

#include <ostream>
#include <streambuf>
#include <string>
#include <string_view>
#include <vector>

#include "engine/events/result.hpp"

namespace app {

// Buffers writes to a file descriptor and remembers the first error. Does not own the descriptor.
class DescriptorBuffer : public std::streambuf {
 public:
  explicit DescriptorBuffer(int descriptor);
  int error() const { return error_; }  // errno of the first failed write, 0 while all is well

 protected:
  int_type overflow(int_type character) override;
  int sync() override;

 private:
  int descriptor_;
  int error_ = 0;
  std::vector<char> buffer_;
};

class Console {
 public:
  Console();

  std::ostream& out() { return out_; }
  // Flushes standard output; fails if anything written to it was lost.
  engine::Status flush();
  // Text that a model wrote. A terminal gets its control characters as U+FFFD instead of obeying them.
  void print_generated(std::string_view text);
  // `text` and a newline if it does not end in one.
  void print(const std::string& text);
  bool out_is_terminal() const { return out_is_terminal_; }
  bool err_is_terminal() const { return err_is_terminal_; }

  // A line for standard error once the outcome is known: after the error, if there is one.
  void later(std::string line) { later_.push_back(std::move(line)); }
  void notice(const std::string& text) { later("notice: " + text); }

  // Ends the command: standard output flushed, the error's line, then what was kept for later. Returns the
  // exit status: 0 done, 1 the work failed, 2 bad usage or bad input.
  int finish(engine::Status status);

 private:
  DescriptorBuffer buffer_;
  std::ostream out_;
  bool out_is_terminal_;
  bool err_is_terminal_;
  std::vector<std::string> later_;
};

// Descriptors 0 to 2 exist afterwards: a program started with `>&-` must not open its trace as standard
// output.
void open_missing_descriptors();

}  // namespace app
