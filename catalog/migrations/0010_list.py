import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import Min, OuterRef, Subquery

import core.ids
from catalog.search import normalized, search_text, terms_of

PRODUCTS = 500  # in a transaction's worth of work
ROWS = 100  # in one UPDATE: each of them is a case that the database goes through for every other one
CERTAIN = 10_000
LAST = "\uffff"
FIELDS = ("search_text", "name_order", "sku_order", "unclear", "certainty", "failed_images")


def fill(apps, schema_editor):
    """Write for the products that are there what lists ask of them, in batches."""
    Product = apps.get_model("catalog", "Product")
    Value = apps.get_model("catalog", "ProductAttribute")
    Term = apps.get_model("catalog", "ProductTerm")
    last = 0
    while True:
        products = list(Product.objects.filter(pk__gt=last).order_by("pk")[:PRODUCTS])
        if not products:
            return
        first, last = products[0].pk, products[-1].pk
        values = Value.objects.filter(product_id__gte=first, product_id__lte=last).order_by()
        values.update(merchant_id=Subquery(Product.objects.filter(pk=OuterRef("product_id")).values("merchant_id")[:1]))
        proposed = dict(values.filter(state="proposed").values_list("product_id").annotate(Min("confidence")))
        failed = failed_images(apps, first, last)
        for product in products:
            describe(product, proposed.get(product.pk), failed.get(product.pk, 0))
        Product.objects.bulk_update(products, FIELDS, batch_size=ROWS)
        terms = [
            Term(merchant_id=product.merchant_id, term=term, product_id=product.pk)
            for product in products
            for term in terms_of(product.search_text)
        ]
        terms.sort(key=lambda row: (row.merchant_id, row.term, row.product_id))
        Term.objects.bulk_create(terms, batch_size=2000, ignore_conflicts=True)


def failed_images(apps, first, last):
    """How many current images could not be classified, by the product's id."""
    jobs = apps.get_model("classifier", "Classification").objects.filter(image=OuterRef("pk"), purpose="live")
    images = apps.get_model("catalog", "ProductImage").objects.filter(product_id__gte=first, product_id__lte=last, archived_at=None)
    images = images.annotate(last=Subquery(jobs.order_by("-pk").values("state")[:1])).filter(last="failed")
    counts = {}
    for pk in images.order_by().values_list("product_id", flat=True):
        counts[pk] = counts.get(pk, 0) + 1
    return counts


def describe(product, proposed, failed):
    """Set the new fields, as saving the product, its values and its proposal does from now on."""
    product.search_text = search_text(product.name, product.sku)
    product.name_order = normalized(product.name)[:80] or LAST
    product.sku_order = normalized(product.sku or "")[:64] or LAST
    product.failed_images = failed
    candidates = product.proposal
    confidences = [] if proposed is None else [proposed]
    product.unclear = ""
    if product.top_category_source == "":
        confidences += [candidate["confidence"] for candidate in candidates[:1]]
        if candidates:
            product.unclear = "several"
        elif product.status not in ("draft", "classifying"):
            product.unclear = "nothing"
    product.certainty = min((int(known * CERTAIN) for known in confidences), default=CERTAIN)


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0009_image_archived_by'),
        ('classifier', '0010_hidden_attributes'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='ProductTerm',
            fields=[
                ('pk', models.CompositePrimaryKey('merchant_id', 'term', 'product_id', blank=True, editable=False, primary_key=True, serialize=False)),
                ('merchant', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='accounts.merchant')),
                ('term', models.PositiveIntegerField()),
                ('product', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='terms', to='catalog.product')),
            ],
            options={
                'verbose_name': 'search term',
                'verbose_name_plural': 'search terms',
            },
        ),
        migrations.CreateModel(
            name='SavedView',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.CharField(default=core.ids.public_id, editable=False, max_length=20, unique=True, verbose_name='number')),
                ('name', models.CharField(max_length=60, verbose_name='name')),
                ('query', models.CharField(blank=True, max_length=2000, verbose_name='query')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created')),
                ('merchant', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.merchant')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='product_views', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'saved view',
                'verbose_name_plural': 'saved views',
                'ordering': ('name', 'id'),
            },
        ),
        migrations.AddField(
            model_name='product',
            name='certainty',
            field=models.PositiveSmallIntegerField(default=10000, editable=False),
        ),
        migrations.AddField(
            model_name='product',
            name='failed_images',
            field=models.PositiveSmallIntegerField(default=0, editable=False),
        ),
        migrations.AddField(
            model_name='product',
            name='name_order',
            field=models.CharField(default='\uffff', editable=False, max_length=80),
        ),
        migrations.AddField(
            model_name='product',
            name='search_text',
            field=models.CharField(default='', editable=False, max_length=300),
        ),
        migrations.AddField(
            model_name='product',
            name='sku_order',
            field=models.CharField(default='\uffff', editable=False, max_length=64),
        ),
        migrations.AddField(
            model_name='product',
            name='unclear',
            field=models.CharField(blank=True, choices=[('', 'clear'), ('several', 'several garments'), ('nothing', 'nothing found')], default='', editable=False, max_length=8),
        ),
        migrations.AddField(
            model_name='productimage',
            name='small',
            field=models.FileField(blank=True, default='', editable=False, max_length=200, upload_to='', verbose_name='small thumbnail'),
        ),
        migrations.AddField(
            model_name='productattribute',
            name='merchant',
            field=models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='accounts.merchant'),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop, atomic=False),
        migrations.AlterField(
            model_name='productattribute',
            name='merchant',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='accounts.merchant'),
        ),
        migrations.AddIndex(
            model_name='product',
            index=models.Index(fields=['merchant', 'id', 'status', 'unclear', 'failed_images', 'certainty'], name='product_list'),
        ),
        migrations.AddIndex(
            model_name='product',
            index=models.Index(fields=['merchant', 'created_at', 'id', 'status'], name='product_created'),
        ),
        migrations.AddIndex(
            model_name='product',
            index=models.Index(fields=['merchant', 'updated_at', 'id', 'status'], name='product_changed'),
        ),
        migrations.AddIndex(
            model_name='product',
            index=models.Index(fields=['merchant', 'name_order', 'id', 'status'], name='product_name'),
        ),
        migrations.AddIndex(
            model_name='product',
            index=models.Index(fields=['merchant', 'sku_order', 'id', 'status'], name='product_sku_order'),
        ),
        migrations.AddIndex(
            model_name='product',
            index=models.Index(fields=['merchant', 'certainty', 'id', 'status'], name='product_certainty'),
        ),
        migrations.AddIndex(
            model_name='product',
            index=models.Index(fields=['merchant', 'unclear', 'id', 'status'], name='product_unclear'),
        ),
        migrations.AddIndex(
            model_name='product',
            index=models.Index(fields=['merchant', 'failed_images', 'id', 'status'], name='product_failed'),
        ),
        migrations.AddIndex(
            model_name='productattribute',
            index=models.Index(fields=['merchant', 'attribute', 'value', 'product'], name='current_value_merchant'),
        ),
        migrations.AddIndex(
            model_name='productattribute',
            index=models.Index(fields=['merchant', 'attribute', 'state', 'product'], name='current_value_merchant_state'),
        ),
    ]
