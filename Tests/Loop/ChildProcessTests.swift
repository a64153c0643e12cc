import Base
import Glibc
import Loop
import TestKit
import Testing

struct ChildProcessTests {
    @Test(arguments: [("exit 3", ChildProcess.Exit.status(3)), ("kill -TERM $$", .signal(SIGTERM))])
    func `a child's end is reported with its status or signal`(script: String, exit: ChildProcess.Exit)
        async throws
    {
        try await onLoop { loop in
            let child = try ChildProcess(["sh", "-c", script], log: "/dev/null", on: loop)
            #expect(try await child.waitForExit(until: .now() + .seconds(120)) == exit)
            #expect(try await child.waitForExit() == exit)
        }
    }

    @Test func `a signal ends a child that would run on`() async throws {
        try await onLoop { loop in
            let child = try ChildProcess(["sleep", "600"], log: "/dev/null", on: loop)
            child.send(signal: SIGKILL)
            #expect(try await child.waitForExit(until: .now() + .seconds(120)) == .signal(SIGKILL))
        }
    }

    @Test func `a program that does not exist is an error that names it`() async throws {
        try await onLoop { loop in
            #expect {
                try ChildProcess(["no-such-program"], log: "/dev/null", on: loop)
            } throws: { error in
                "\(error)".contains("no-such-program")
            }
        }
    }
}
