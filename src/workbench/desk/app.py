"""The release desk as one application: routes, guard, error pages."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from workbench.desk import errors_web, pages
from workbench.desk.rate_limits import RateLimits
from workbench.desk.rendering import load_statics, make_environment
from workbench.desk.security import Guard
from workbench.desk.settings import Settings
from workbench.governance.store import Store


def create_app(store: Store, settings: Settings | None = None) -> FastAPI:
    """Return the desk over a store. It keeps nothing but the store, so several processes may serve one database."""
    settings = settings or Settings()
    app = FastAPI(title="Release desk", docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    app.state.store = store
    app.state.settings = settings
    app.state.templates = make_environment()
    app.state.rates = RateLimits(settings)
    by_served_name = {static.name: static for static in load_statics().values()}

    @app.get("/static/{name}")
    def static_file(request: Request, name: str) -> Response:
        found = by_served_name.get(name)
        if found is None:
            raise HTTPException(404)
        return Response(
            found.body, media_type=found.media_type, headers={"cache-control": "public, max-age=31536000, immutable"}
        )

    for router in pages.ROUTERS:
        app.include_router(router)
    errors_web.add_handlers(app)
    app.add_middleware(Guard, settings=settings, rates=app.state.rates)
    return app
