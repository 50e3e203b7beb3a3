"""What `podjobs check` examines: one module per subject. What is judged is pure; what is asked has a time limit.

examination     asks all of them at once, and ends in time whatever hangs
redis_servers   Redis: policy, version, latency, what it keeps, its clock
queue_readers   who else reads Pod's queues; queues that are shared or handed back
functions       each function examines media, Pod, the LRS and its tools (podjobs/contract/examinations.py)
rq_pools        the same for functions that are RQ workers
adapters        whether adapters live; dead letters; what is paused
comparison      clocks, versions and media roots, compared with one another
"""
