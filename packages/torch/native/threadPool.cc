#include "threadPool.h"

#if defined(__linux__)
#include <sys/resource.h>
#endif

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <memory>
#include <mutex>

namespace trex {

#if defined(__linux__)

namespace {

using Clock = std::chrono::steady_clock;

// Where the pool's threads wait for one another, so that each takes exactly one piece of work. A thread that is busy with
// something long does not come; nor do those that UV_THREADPOOL_SIZE promises but the pool was started without.
struct Meeting {
  std::mutex mutex;
  std::condition_variable changed;
  int missing;
  Clock::time_point end = Clock::now() + std::chrono::seconds(1);
};

struct Work {
  std::shared_ptr<Meeting> meeting;
  int nice;
  napi_async_work handle = nullptr;
};

void execute(napi_env, void* data) {
  Work& work = *static_cast<Work*>(data);
  // 0 is the calling thread here: on Linux each thread has a niceness of its own.
  if (getpriority(PRIO_PROCESS, 0) < work.nice) setpriority(PRIO_PROCESS, 0, work.nice);
  std::unique_lock lock(work.meeting->mutex);
  work.meeting->missing--;
  work.meeting->changed.notify_all();
  work.meeting->changed.wait_until(lock, work.meeting->end, [&] { return work.meeting->missing == 0; });
}

void complete(napi_env env, napi_status, void* data) {
  std::unique_ptr<Work> work(static_cast<Work*>(data));
  napi_delete_async_work(env, work->handle);
}

int poolSize() {
  const char* text = std::getenv("UV_THREADPOOL_SIZE");  // as libuv reads it
  return text ? std::clamp(std::atoi(text), 1, 1024) : 4;
}

}  // namespace

#endif

napi_value lowerThreadPool(const Args& args) {
  int64_t nice = readInteger(args.env, args.at(0), "nice");
  if (nice < 0 || nice > 19) argumentError("nice must be 0..19");
#if defined(__linux__)
  auto meeting = std::make_shared<Meeting>();
  meeting->missing = poolSize();
  napi_value name = makeString(args.env, "trex:lowerThreadPool");
  for (int i = poolSize(); i > 0; i--) {
    auto work = std::make_unique<Work>(Work{meeting, static_cast<int>(nice)});
    check(napi_create_async_work(args.env, nullptr, name, execute, complete, work.get(), &work->handle));
    check(napi_queue_async_work(args.env, work->handle));
    work.release();  // to `complete`
  }
#endif
  return nullptr;
}

}  // namespace trex
