"""What the portal's templates ask the classifier; the catalogue itself knows nothing of queues."""

from django import template

from classifier.jobs import requests
from classifier.models import Classification

register = template.Library()


@register.filter
def queue_place(job: Classification) -> int:
    """Return the job's place in the queue; 0 once it is being worked on."""
    return requests.queue_place(job)
