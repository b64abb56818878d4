from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0005_field_labels'),
    ]

    operations = [
        migrations.RenameField(
            model_name='auditevent',
            old_name='via',
            new_name='channel',
        ),
        migrations.RenameField('merchant', 'photographs_for_training', 'images_for_training'),
        migrations.AlterField(
            model_name='merchant',
            name='images_for_training',
            field=models.BooleanField(default=True, help_text="Off: the shop's photos and decisions are never exported as a data set.", verbose_name='photos may train models'),
        ),
        migrations.AlterField(
            model_name='merchant',
            name='is_demo',
            field=models.BooleanField(default=False, help_text='Its pages say that its products are examples.', verbose_name='demo shop'),
        ),
        migrations.AlterField(
            model_name='auditevent',
            name='channel',
            field=models.CharField(choices=[('portal', 'portal'), ('admin', 'admin'), ('api', 'API'), ('command', 'command')], max_length=10, verbose_name='channel'),
        ),
    ]
