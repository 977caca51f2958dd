"""The console as one ASGI application."""

from fastapi import FastAPI
from starlette.staticfiles import StaticFiles

from ami_bridge import __version__
from ami_bridge.web import api, pages, problems
from ami_bridge.web.guard import Guard
from ami_bridge.web.house import STATIC, House

ABOUT = """The calls that one's duty allows, and what is done with them: the same as the console's pages, with the same
rights. Every look leaves a trace. Times are UTC."""


def application(house: House) -> FastAPI:
    """Return the console."""
    app = FastAPI(title="ami-bridge console", version=__version__, description=ABOUT, docs_url=None, redoc_url=None,
                  openapi_url=f"{api.PREFIX}/openapi.json")
    app.state.house = house
    house.templates.globals["menu"] = pages.MENU
    problems.install(app)
    for router in pages.ROUTERS:
        app.include_router(router)
    app.include_router(api.router)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    console = house.config.console
    app.add_middleware(Guard, hosts=console.known_as, tls=console.certificate is not None, programs=problems.API,
                       pages=problems.page_of(house))
    return app
