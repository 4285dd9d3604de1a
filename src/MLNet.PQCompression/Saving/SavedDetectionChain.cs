using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms;
using MLNet.PQCompression.Columns;

namespace MLNet.PQCompression.Saving;

/// <summary>The form in which a detector goes into a model zip: like <see cref="SavedChain"/>, with lists in place of scores.</summary>
internal static class SavedDetectionChain
{
    /// <summary>Makes the chain.</summary>
    public static ICanSaveModel Create(DetectionPayload payload)
    {
        var context = new MLContext();
        TransformsCatalog transforms = context.Transforms;
        DetectionColumns columns = payload.Columns;
        IDataView names = context.Data.LoadFromEnumerable(payload.Model.Names.Select(n => new ClassName { Name = n }));
        var chain = new ChainBuilder(
            transforms, payload.InputName, payload.Kind, payload.Input.Size, transforms.CustomMapping(new DetectorKeyFactory().GetMapping(), DetectorKey.Contract), payload.ToText());
        chain.Add(Detecting(transforms, payload.Kind, payload.Input.Size));
        chain.Add(transforms.CopyColumns(columns.Boxes, SavedDetections.BoxesName));
        chain.Add(transforms.Conversion.MapValueToKey(columns.Labels, SavedDetections.NamesName, keyData: names));
        chain.Add(transforms.CopyColumns(columns.Scores, SavedDetections.ScoresName));
        if (columns.Masks is not null)
            chain.Add(transforms.CopyColumns(columns.Masks, SavedDetections.MasksName));
        chain.Add(transforms.DropColumns(
            InnerColumns.Image, InnerColumns.Key, InnerColumns.Model, SavedDetections.BoxesName, SavedDetections.NamesName, SavedDetections.ScoresName, SavedDetections.MasksName));
        return chain.Build();
    }

    /// <summary>The detectors in a transformer: itself, or those in a chain, fitted or loaded.</summary>
    /// <exception cref="Graph.InvalidModelException">A saved detector is broken or of a later form.</exception>
    public static IEnumerable<PqDetectionTransformer> FindIn(ITransformer model)
    {
        if (model is PqDetectionTransformer own)
            return [own];
        if (model is not IEnumerable<ITransformer> chain)
            return [];
        ITransformer[] parts = [.. chain];
        int key = Array.FindIndex(parts, p => p is CustomMappingTransformer<NoColumns, DetectorKey>);
        return key >= 0 && key + 1 < parts.Length ? [Restore(parts[key], parts[key + 1])] : parts.SelectMany(FindIn);
    }

    private static PqDetectionTransformer Restore(ITransformer key, ITransformer lookUp)
    {
        IDataView row = new MLContext().Data.LoadFromEnumerable([new ClassName()]);
        DetectionPayload payload = DetectionPayload.Parse(lookUp.Transform(key.Transform(row)).GetColumn<ReadOnlyMemory<char>>(InnerColumns.Model).Single());
        return new(new(payload.Model, ModelPayload.Inference), payload.InputName, payload.Kind, payload.Input, payload.Columns, report: null);
    }

    private static IEstimator<ITransformer> Detecting(TransformsCatalog transforms, ImageColumnKind kind, ImageSize? size) => kind switch
    {
        ImageColumnKind.Image when size is not null => transforms.CustomMapping(new DetectFrameFactory().GetMapping(), DetectFrameFactory.Contract),
        ImageColumnKind.Image => transforms.CustomMapping(new DetectImageFactory().GetMapping(), DetectImageFactory.Contract),
        ImageColumnKind.Pixels => transforms.CustomMapping(new DetectPixelsFactory().GetMapping(), DetectPixelsFactory.Contract),
        ImageColumnKind.Encoded => transforms.CustomMapping(new DetectEncodedFactory().GetMapping(), DetectEncodedFactory.Contract),
        _ => transforms.CustomMapping(new DetectPathFactory().GetMapping(), DetectPathFactory.Contract),
    };

    private sealed class ClassName
    {
        public string Name { get; set; } = "";
    }
}
