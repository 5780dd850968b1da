import asyncio

from tests.database_jobs import ask, ask_async

SESSION, ASYNC_SESSION = ask(), asyncio.run(ask_async())
