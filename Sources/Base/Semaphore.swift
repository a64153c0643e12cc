import Glibc

/// Lets a thread that is no loop wait for one that is.
// POSIX semaphores may be used from any thread.
package final class Semaphore: @unchecked Sendable {
    private let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

    package init() { sem_init(semaphore, 0, 0) }

    deinit {
        sem_destroy(semaphore)
        semaphore.deallocate()
    }

    package func signal() { sem_post(semaphore) }

    package func wait() {
        // Only a signal interrupts the wait.
        while sem_wait(semaphore) != 0 {}
    }
}
