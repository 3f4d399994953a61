"""Long work: a durable queue, progress, cancel, retry. Knows no room; the store is handed in."""

from geoshare.jobs.queue import Job, JobStore, Queue
from geoshare.jobs.worker import Handler, JobCancelled, JobLost, Progress, Worker

__all__ = [
    "Handler",
    "Job",
    "JobCancelled",
    "JobLost",
    "JobStore",
    "Progress",
    "Queue",
    "Worker",
]
