"""Functions as RQ workers, for plain servers: each pulls steps from its function's queue, one command a server.

    pool          one a server: checks everything first, then starts the workers, and starts again those that die
      worker      takes a job, keeps its heartbeat, enforces its time-out, stores the answer; knows nothing of the work
        horse     one for each worker: has opened the function, so what it has loaded stays loaded; knows nothing of RQ

A horse is a process of its own that is killed if its step must end, and replaced for the next one. RQ's own workers
fork a new one for each job, which would load a speech model each time.

A worker runs nothing but its function: what a job in Redis names to be called is compared, never imported (jobs.py).
"""
