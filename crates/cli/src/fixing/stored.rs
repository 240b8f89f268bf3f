//! Results in storage that need no file here.

use pinpress_media::{Failure, FailureKind, Fixed, Plan};
use pinpress_pipeline::objects::undelivered;
use pinpress_pipeline::{Checked, Found};
use pinpress_store::ObjectAddress;

use super::{FixJob, modified};

impl FixJob<'_> {
    /// The object that is there already, when it is newer than its source and passes.
    pub(super) fn kept_in_storage(&self, found: &Found, target: &ObjectAddress) -> Result<Option<Checked>, Failure> {
        let object = self.objects.look(target).map_err(|error| Failure::new(FailureKind::Io, error.to_string()))?;
        let Some(object) = object else { return Ok(None) };
        let newer = modified(found).is_some_and(|source| object.modified >= source);
        let there = Found { object: Some(object), ..Found::here(target.to_path(), target.name().into()) };
        let checked = self.objects.check(&there, self.spec, self.workers).ok();
        match checked.filter(|checked| newer && checked.report.passes()) {
            Some(checked) => Ok(Some(checked)),
            None => Err(Failure::new(
                FailureKind::OutputExists,
                format!(
                    "there is an object already, and it is not this one's result: --overwrite replaces it: {target}"
                ),
            )),
        }
    }

    /// What fits goes to its place within its bucket, and none of it travels here; `None` for everything else.
    pub(super) fn copied_in_storage(
        &self,
        found: &Found,
        before: &Checked,
        target: &ObjectAddress,
    ) -> Result<Option<Fixed>, Failure> {
        let Some(object) = found.object.as_ref().filter(|object| object.address.shares_bucket(target)) else {
            return Ok(None);
        };
        let listener = self.listen(&found.path);
        let plans = self.workers.plan_by_facts(&before.info, self.spec, &self.options, &listener)?;
        let Some(plan) = plans.and_then(|plans| plans.into_iter().next()).filter(Plan::is_passthrough) else {
            return Ok(None);
        };
        self.progress.started(&found.path, "copy");
        let copied = self.objects.copy(object, target, self.options.overwrite);
        copied.map_err(|error| undelivered(&error, &listener))?;
        Ok(Some(Fixed {
            plan,
            output: target.to_path().as_path().into(),
            info: before.info.clone(),
            report: before.report.clone(),
            frames_decoded: 0,
            packets_compared: 0,
            salvaged: None,
        }))
    }
}
