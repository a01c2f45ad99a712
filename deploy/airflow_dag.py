"""Retrain every night with Airflow, on a worker that has the project's folder.

Written for Airflow 2.9 and newer; in Airflow 3 the first import may come from `airflow.sdk`.
"""

import subprocess
from datetime import datetime, timedelta

from airflow.decorators import dag, task
from airflow.exceptions import AirflowException, AirflowFailException

PROJECT = "/srv/goodfit"
NOT_GOOD_ENOUGH = (2, 3, 6)
"""Exit codes that say that configuration, data or model are not good enough: trying again would change nothing."""


@dag(
    dag_id="goodfit_retrain",
    description="Look for new data, retrain, promote or keep.",
    schedule="17 3 * * *",
    start_date=datetime(2026, 1, 1),
    catchup=False,  # nights that were missed are made up for by one run
    max_active_runs=1,
    default_args={"retries": 2, "retry_delay": timedelta(minutes=15), "execution_timeout": timedelta(hours=6)},
    tags=["goodfit"],
)
def goodfit_retrain() -> None:
    """One task: the command does the rest, and goes on where it was if it was stopped."""

    @task
    def retrain() -> None:
        code = subprocess.run([".venv/bin/goodfit", "retrain", "--json"], cwd=PROJECT, check=False).returncode
        if code in NOT_GOOD_ENOUGH:
            raise AirflowFailException(f"goodfit retrain: exit code {code}; the champion stays")
        if code:
            raise AirflowException(f"goodfit retrain: exit code {code}; trying again")

    retrain()


goodfit_retrain()
