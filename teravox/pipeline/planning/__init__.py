"""What a job will take: tasks, bytes, requests, memory, time and money, before anything is written."""
