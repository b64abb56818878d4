import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0009_confirmed_addresses'),
    ]

    operations = [
        migrations.CreateModel(
            name='MerchantFigures',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('products', models.PositiveBigIntegerField(default=0, verbose_name='products')),
                ('images', models.PositiveBigIntegerField(default=0, verbose_name='photos')),
                ('bytes', models.PositiveBigIntegerField(default=0, verbose_name='bytes')),
                ('answered', models.PositiveIntegerField(default=0, verbose_name='answered')),
                ('kept', models.PositiveIntegerField(default=0, verbose_name='kept')),
                ('last_active', models.DateTimeField(blank=True, null=True, verbose_name='last active')),
                ('last_event', models.PositiveBigIntegerField(default=0)),
                ('counted_at', models.DateTimeField(blank=True, null=True, verbose_name='counted')),
                ('merchant', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='figures', to='accounts.merchant', verbose_name='merchant')),
            ],
            options={
                'verbose_name': 'figures of a merchant',
                'verbose_name_plural': 'figures of merchants',
                'default_permissions': (),
            },
        ),
        migrations.AlterModelOptions(
            name='user',
            options={'permissions': (('impersonate_user', 'Can work as a member of a merchant'),), 'verbose_name': 'user', 'verbose_name_plural': 'users'},
        ),
        migrations.AddField(
            model_name='operation',
            name='impersonator',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='impersonator'),
        ),
        migrations.AddIndex(
            model_name='auditevent',
            index=models.Index(fields=['action', 'created_at'], name='audit_action'),
        ),
    ]
