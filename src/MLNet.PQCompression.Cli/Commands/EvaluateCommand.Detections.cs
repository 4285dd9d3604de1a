using System.CommandLine;
using MLNet.PQCompression.Cli.Options;
using MLNet.PQCompression.Cli.Terminal;
using MLNet.PQCompression.Data;
using MLNet.PQCompression.Detectors;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Images;
using MLNet.PQCompression.Images.Coco;
using MLNet.PQCompression.Inference;
using MLNet.PQCompression.Reporting;

namespace MLNet.PQCompression.Cli.Commands;

/// <content>evaluate --coco.</content>
internal sealed partial class EvaluateCommand
{
    /// <summary>Average precision against annotated objects.</summary>
    private void Detections(ParseResult arguments, ToolConsole console, ModelGraph model, ModelGraph? teacher, string annotations)
    {
        DetectionArguments.RefuseShards(arguments, _shards.All);
        ImagePreprocessing preprocessing = _preprocessing.Read(arguments, console, model, _model.Path(arguments)).Preprocessing;
        DetectionProfile profile = _task.Detector(arguments, model, preprocessing, _detection.Chosen(arguments)) ?? throw new UsageException(
            $"--coco is for detectors, and it cannot be told that this model is one: its outputs are {string.Join(", ", model.Outputs.Select(o => $"{o.Name} [{o.Shape}]"))}. Name a --profile.");
        CocoAnnotations objects = CocoAnnotations.Read(annotations);
        using ImageSource images = ImageSource.Open(arguments.GetRequiredValue(_images), console.CancellationToken);
        _imageArguments.Tell(arguments, console, images);
        var inference = new InferenceOptions { Threads = arguments.GetValue(_threads) };
        using Detector one = Detector.Open(model, preprocessing, profile, DetectionOptions.ForJudging, inference);
        using Detector? other = teacher is null ? null : Detector.Open(teacher, preprocessing, profile, DetectionOptions.ForJudging, inference);
        var how = new CocoEvaluationOptions
        {
            Labels = _classes.ReadLabels(arguments, model, profile, one.Classes),
            Limit = arguments.GetValue(_limit),
            Seed = arguments.GetValue(_seed),
            OnBadImage = _imageArguments.OnBadImage(arguments),
        };
        DetectionReport report = console.Track("evaluate", step => CocoEvaluation.Run(one, other, images, objects, preprocessing, how,
            new StepProgress<EvaluationProgress>(step, p => new((double)p.Images / p.Total!.Value, $"{p.Images} of {p.Total} images")), console.CancellationToken));
        foreach (string note in report.Notes)
            console.Note($"note: {note}");
        foreach (SkippedImage skipped in report.Skipped)
            console.Note($"left out: {skipped.Reason}");
        console.WriteResult(() => DetectionText.Of(report), report.ToJson);
    }
}
