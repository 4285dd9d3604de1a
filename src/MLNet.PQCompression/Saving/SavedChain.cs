using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms;
using MLNet.PQCompression.Columns;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Scoring;

namespace MLNet.PQCompression.Saving;

/// <summary>
/// The form in which a transformer goes into a model zip: a chain of ML.NET's own transformers, so that any MLContext loads it without a registration.
/// Every row looks the network up as text by a constant key; a custom mapping, which records the assembly it is in, scores with it.
/// </summary>
internal static class SavedChain
{
    /// <summary>Makes the chain.</summary>
    /// <exception cref="InvalidModelException">There are more classes than a chain can carry.</exception>
    public static ICanSaveModel Create(ScoringModel model, string inputName, ImageColumnKind kind, ImageInput input, OutputColumns outputs)
    {
        int count = model.Outputs.RowLength;
        if (count > SavedScores.MaxCount)
            throw new InvalidModelException($"A model with {count} scores or other values an image cannot be saved in a model zip; the limit is {SavedScores.MaxCount}. Use SaveAsOnnx, or take fewer outputs.");
        string text = new ModelPayload(model, input, inputName, kind, outputs).ToText();
        var context = new MLContext();
        TransformsCatalog transforms = context.Transforms;
        IDataView classes = context.Data.LoadFromEnumerable(model.ClassNames.Select(n => new ClassName { Name = n }));
        string[] inner = [InnerColumns.Image, InnerColumns.Key, InnerColumns.Model, InnerColumns.Class, .. SavedScores.AllColumns, .. outputs.Vectors.Length > 1 ? [InnerColumns.Row] : Array.Empty<string>()];

        var chain = new ChainBuilder(transforms, inputName, kind, input.Size, transforms.CustomMapping(new ModelKeyFactory().GetMapping(), ModelKey.Contract), text);
        chain.Add(Scoring(transforms, kind, input.Size));
        string row = outputs.Vectors.Length == 1 ? outputs.Vectors[0] : InnerColumns.Row;
        chain.Add(transforms.Concatenate(row, [.. SavedScores.ColumnsOf(count)]));
        if (outputs.Vectors.Length > 1)
            for (int i = 0; i < outputs.Vectors.Length; i++)
                AddSlots(outputs.Vectors[i], model.Outputs.Lengths.Take(i).Sum(), model.Outputs.Lengths[i]);
        if (outputs.LabelName is not null)
            chain.Add(transforms.Conversion.MapValueToKey(outputs.LabelName, InnerColumns.Class, keyData: classes));
        chain.Add(transforms.DropColumns(inner));
        return chain.Build();

        // The feature selector drops the slots that are 0 in all rows it is fitted to; here there is one row, with 1 in the slots to keep.
        void AddSlots(string name, int start, int length)
        {
            var slots = new float[count];
            slots.AsSpan(start, length).Fill(1);
            SchemaDefinition definition = SchemaDefinition.Create(typeof(Row));
            definition[nameof(Row.Values)].ColumnType = new VectorDataViewType(NumberDataViewType.Single, count);
            definition[nameof(Row.Values)].ColumnName = row;
            IDataView one = context.Data.LoadFromEnumerable([new Row { Values = slots }], definition);
            chain.Add(transforms.FeatureSelection.SelectFeaturesBasedOnCount(name, row).Fit(one));
        }
    }

    /// <summary>The networks in a transformer: itself, or those in a chain, fitted or loaded.</summary>
    /// <exception cref="InvalidModelException">A saved network is broken or of a later form.</exception>
    public static IEnumerable<PqCompressionTransformer> FindIn(ITransformer model)
    {
        if (model is PqCompressionTransformer own)
            return [own];
        if (model is not IEnumerable<ITransformer> chain)
            return [];
        ITransformer[] parts = [.. chain];
        int key = Array.FindIndex(parts, p => p is CustomMappingTransformer<NoColumns, ModelKey>);
        return key >= 0 && key + 1 < parts.Length ? [Restore(parts[key], parts[key + 1])] : parts.SelectMany(FindIn);
    }

    private static PqCompressionTransformer Restore(ITransformer key, ITransformer lookUp)
    {
        IDataView row = new MLContext().Data.LoadFromEnumerable([new ClassName()]);
        ReadOnlyMemory<char> text = lookUp.Transform(key.Transform(row)).GetColumn<ReadOnlyMemory<char>>(InnerColumns.Model).Single();
        ModelPayload payload = ModelPayload.Parse(text);
        return new(new(payload.Model, ModelPayload.Inference), payload.InputName, payload.Kind, payload.Input, payload.Outputs);
    }

    private static IEstimator<ITransformer> Scoring(TransformsCatalog transforms, ImageColumnKind kind, ImageSize? size) => kind switch
    {
        ImageColumnKind.Image when size is not null => transforms.CustomMapping(new SavedFrameFactory().GetMapping(), SavedFrameFactory.Contract),
        ImageColumnKind.Image => transforms.CustomMapping(new SavedImageFactory().GetMapping(), SavedImageFactory.Contract),
        ImageColumnKind.Pixels => transforms.CustomMapping(new SavedPixelsFactory().GetMapping(), SavedPixelsFactory.Contract),
        ImageColumnKind.Encoded => transforms.CustomMapping(new SavedEncodedFactory().GetMapping(), SavedEncodedFactory.Contract),
        _ => transforms.CustomMapping(new SavedPathFactory().GetMapping(), SavedPathFactory.Contract),
    };

    private sealed class Row
    {
        public float[] Values { get; set; } = [];
    }

    private sealed class ClassName
    {
        public string Name { get; set; } = "";
    }
}
