import Base
package import Loop

/// Runs `body` as a task on a loop of its own thread, and ends the loop afterwards.
@discardableResult
package func onLoop<Result: Sendable>(
    _ body: sending @escaping (EventLoop) async throws -> Result
) async throws -> Result {
    let group = try LoopGroup(count: 1, name: "test")
    try group.start()
    let loop = group.loops[0]
    let task = Task(executorPreference: loop) { try await body(loop) }
    let result = await withTaskCancellationHandler {
        await task.result
    } onCancel: {
        task.cancel()
    }
    group.stop()
    return try result.get()
}
