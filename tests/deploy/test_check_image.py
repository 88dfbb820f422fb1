"""The script that checks images reads Dockerfiles as builders do, and finds what must not be in an image."""

from __future__ import annotations

from pathlib import Path

from tests.deploy.dockerfiles import check_image

DOCKERFILE = """\
# syntax
FROM base AS build
USER 5
ENTRYPOINT ["no"]
FROM base
# in between
ENV A=1 \\
    # a comment
    B="two words"
USER 10:10
HEALTHCHECK --interval=1s \\
  CMD ["ask", "it"]
ENTRYPOINT ["run"]
CMD ["/model", "--x"]
"""


def test_the_recipe_is_that_of_the_last_stage() -> None:
    recipe = check_image().read(DOCKERFILE)

    assert recipe.variables == {"A": "1", "B": "two words"}
    assert (recipe.user, recipe.entry, recipe.command) == ("10:10", ["run"], ["/model", "--x"])
    assert recipe.health == ["ask", "it"]
    assert recipe.bundle == "/model"


def test_an_image_without_a_command_is_started_with_a_word_of_sagemaker() -> None:
    recipe = check_image().read('FROM base\nENTRYPOINT ["entry"]\n')

    assert recipe.serves_sagemaker
    assert recipe.bundle == "/opt/ml/model"


def test_compilers_installers_and_files_that_anybody_may_write_are_faults(tmp_path: Path) -> None:
    packages = tmp_path / "opt" / "x" / "site-packages"
    for folder in (packages / "torch", packages / "numpy", tmp_path / "usr" / "bin"):
        folder.mkdir(parents=True)
    (tmp_path / "usr" / "bin" / "gcc").touch()
    (packages / "open").touch()
    (packages / "open").chmod(0o666)

    assert check_image().content_faults(tmp_path, ["torch", "pip"]) == [
        "usr/bin/gcc is there",
        "opt/x/site-packages/torch is there",
        "opt/x/site-packages/open may be written by anybody",
    ]
